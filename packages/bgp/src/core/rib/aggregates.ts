import { type Family, familyOf, type Prefix, prefixBytes } from '@overland/net';
import type { AggregateConfig } from '../config.ts';
import type { BestChanges } from './loc-rib.ts';
import type { RibTables } from './rib-tables.ts';

/** What becomes of an aggregate. */
export interface AggregateEvents {
  /** @param origin The worst of its contributors: ORIGIN as in RFC 4271 section 9.2.2.2. */
  announce(aggregate: AggregateConfig, origin: number): void;
  withdraw(prefix: Prefix): void;
  /** Other prefixes than before are left out of what peers are sent. */
  summariesChanged(): void;
}

/** Not announced. */
const ABSENT = -1;
/** Behind every prefix: the pass over them is over. */
const ALL = Number.POSITIVE_INFINITY;

interface Member {
  readonly config: AggregateConfig;
  readonly words: readonly number[];
  readonly length: number;
  /** Contributors by ORIGIN: IGP, EGP, INCOMPLETE. */
  readonly counts: [number, number, number];
  /** ORIGIN that it is announced with, or {@link ABSENT}. */
  announced: number;
}

/**
 * The aggregates of one family: each is there as long as the Loc-RIB has a route inside it that is no aggregate itself. RFC 4271
 * section 9.2.2.2, without AS_SET (RFC 9774).
 */
export class Aggregates {
  readonly #tables: RibTables;
  readonly #events: AggregateEvents;
  #members: readonly Member[] = [];
  /** Contributors among prefixes from here to {@link #scanEnd} are not counted yet. */
  #scanAt = ALL;
  #scanEnd = 0;
  #isDirty = false;

  constructor(tables: RibTables, events: AggregateEvents) {
    this.#tables = tables;
    this.#events = events;
  }

  get isIdle(): boolean {
    return this.#scanAt === ALL && !this.#isDirty;
  }

  /** Makes these the aggregates; contributors are counted in slices, and what is announced stays so meanwhile. */
  set(family: Family, configs: readonly AggregateConfig[] = []): void {
    const wanted = configs.filter(({ prefix }) => familyOf(prefix) === family);
    const before = this.#members;
    if (JSON.stringify(wanted) === JSON.stringify(before.map(({ config }) => config))) return;
    this.#members = wanted.map((config) => {
      const same = before.find((member) => member.config.prefix === config.prefix);
      const isEqual = JSON.stringify(same?.config) === JSON.stringify(config);
      const { announced = ABSENT } = same ?? {};
      if (same && !isEqual && announced !== ABSENT) this.#events.announce(config, announced);
      return { config, ...placeOf(config.prefix), counts: [0, 0, 0], announced };
    });
    for (const { config, announced } of before) {
      const isGone = !wanted.some(({ prefix }) => prefix === config.prefix);
      if (isGone && announced !== ABSENT) this.#events.withdraw(config.prefix);
    }
    this.#scanAt = 1;
    this.#scanEnd = this.#tables.highestPrefix();
    this.#summariesChanged();
  }

  /** The Loc-RIB has other best paths, whose groups are all there still. */
  bestChanged({ count, prefixes, before, best }: BestChanges): void {
    if (this.#members.length === 0) return;
    for (let i = 0; i < count; i += 1) {
      const prefix = prefixes[i] ?? 0;
      if (prefix >= this.#scanAt && prefix <= this.#scanEnd) continue;
      this.#count(prefix, before[i] ?? 0, -1);
      this.#count(prefix, best[i] ?? 0, 1);
    }
  }

  /** @returns Units used. */
  step(units: number): number {
    let used = 0;
    for (; used < units && this.#scanAt !== ALL; used += 1) {
      if (this.#scanAt > this.#scanEnd) {
        this.#scanAt = ALL;
        this.#isDirty = true;
        break;
      }
      const prefix = this.#scanAt;
      this.#scanAt += 1;
      this.#count(prefix, this.#tables.states.best(prefix), 1);
    }
    if (this.#isDirty) this.#settle();
    return used;
  }

  /** Whether a prefix is left out of what peers are sent: an aggregate that is there says enough. */
  suppresses(prefix: number): boolean {
    const { words, length } = this.#read(prefix);
    return this.#members.some(
      (member) =>
        member.config.summaryOnly && member.announced !== ABSENT && holds(member, words, length),
    );
  }

  #count(prefix: number, group: number, change: 1 | -1): void {
    if (group === 0) return;
    const { words, length } = this.#read(prefix);
    if (this.#members.some((member) => isAt(member, words, length))) return;
    const origin = this.#tables.groups.origin(group);
    for (const member of this.#members) {
      if (!holds(member, words, length)) continue;
      member.counts[Math.min(origin, 2) as 0 | 1 | 2] += change;
      this.#isDirty = true;
    }
  }

  #settle(): void {
    this.#isDirty = false;
    let isSummaryChanged = false;
    for (const member of this.#members) {
      const { config, counts, announced } = member;
      const origin = [2, 1, 0].find((value) => (counts[value] ?? 0) > 0) ?? ABSENT;
      // What has not been found yet may still be found.
      if (origin === announced || (this.#scanAt !== ALL && origin < announced)) continue;
      member.announced = origin;
      if (origin === ABSENT) this.#events.withdraw(config.prefix);
      else this.#events.announce(config, origin);
      isSummaryChanged ||= config.summaryOnly && (origin === ABSENT || announced === ABSENT);
    }
    if (isSummaryChanged) this.#summariesChanged();
  }

  #summariesChanged(): void {
    const hides = this.#members.some(
      ({ config, announced }) => config.summaryOnly && announced !== ABSENT,
    );
    const { summaries } = this.#tables;
    this.#tables.summaries = hides ? this : undefined;
    if (hides || summaries) this.#events.summariesChanged();
  }

  #read(prefix: number): { readonly words: Int32Array; readonly length: number } {
    const { prefixes, words } = this.#tables;
    prefixes.readWords(prefix, words, 0);
    return { words, length: prefixes.length(prefix) };
  }
}

function placeOf(prefix: Prefix): Pick<Member, 'words' | 'length'> {
  const { octets, length } = prefixBytes(prefix);
  const view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
  return {
    words: Array.from({ length: octets.length / 4 }, (_, i) => view.getInt32(4 * i)),
    length,
  };
}

/** Whether a prefix is that of an aggregate. */
function isAt(member: Member, words: Int32Array, length: number): boolean {
  return member.length === length && sharesStart(member, words);
}

/** Whether a prefix lies inside that of an aggregate, and is longer. */
function holds(member: Member, words: Int32Array, length: number): boolean {
  return member.length < length && sharesStart(member, words);
}

function sharesStart({ words: own, length }: Member, words: Int32Array): boolean {
  for (let i = 0; 32 * i < length; i += 1) {
    const bits = Math.min(32, length - 32 * i);
    if (((own[i] ?? 0) ^ (words[i] ?? 0)) >>> (32 - bits) !== 0) return false;
  }
  return true;
}
