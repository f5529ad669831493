import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Prefix, prefixFromBytes } from '@overland/net';
import type { Logger } from 'pino';
import type { RpkiConfig } from '../../core/config.ts';
import type { RtrEffect, VrpChange } from '../../core/rpki/rtr-session.ts';
import { emptyVrpTables, type Vrp, type VrpTables } from '../../core/rpki/vrp-table.ts';
import { writeU32 } from '../../core/wire/attribute-set.ts';
import { TimerTable } from '../timer-table.ts';
import type { OpenSocket } from '../transport.ts';
import { CacheSlot } from './cache-slot.ts';

/** RFC 8210 section 6: what holds where neither the cache nor the operator says anything. */
const DEFAULT_REFRESH_SECONDS = 3600;
const DEFAULT_RETRY_SECONDS = 600;
const DEFAULT_EXPIRE_SECONDS = 7200;
/** What cache and operator may say, at least and at most. */
const BOUNDS = { refresh: [1, 86_400], retry: [1, 7200], expire: [600, 172_800] } as const;
/** A cache that fails is dialled again sooner at first: it may only just be starting. */
const FIRST_RETRY_SECONDS = 5;
/** How long a cache that owes an answer may say nothing. */
const ANSWER_SECONDS = 30;
/** Changes that are applied in one go: about a millisecond. */
const CHANGES_AT_A_TIME = 1000;

type Arrival = Extract<RtrEffect, { readonly type: 'loaded' | 'changed' }>;
type TimerKey = 'refresh' | 'expire' | `retry ${number}` | `answer ${number}`;

export interface RpkiHost {
  readonly log: Logger;
  readonly openSocket: OpenSocket;
  /** Other VRPs are in force. */
  changed(tables: VrpTables, changed: readonly Prefix[] | 'all'): void;
}

/** One cache as `overland bgp rpki` shows it. */
export interface CacheView {
  readonly address: string;
  readonly port: number;
  /** `in-use`: its VRPs are in force, and it is there; `held`: they are, and it is not. */
  readonly state: 'in-use' | 'held' | 'loading' | 'waiting' | 'standby';
  /** Of the protocol; `null`: no connection has been. */
  readonly version: number;
  readonly sessionId: number | null;
  readonly serial: number | null;
  readonly lastError: string | null;
}

export interface RpkiStatus {
  readonly caches: readonly CacheView[];
  readonly vrps: Readonly<Record<'ipv4' | 'ipv6', number>>;
  /** Since the cache last said that everything is here; `null`: there are no VRPs. */
  readonly ageSeconds: number | null;
  /** Until they cease to hold, unless the cache is heard of. */
  readonly expiresInSeconds: number | null;
}

/**
 * The caches of a speaker, RFC 8210 section 10: one is in use, the first in order that has data. One that is preferred
 * to it is tried again and again, and takes over when all its data is here. What was had stays until it expires.
 */
export class RpkiCaches implements Disposable {
  readonly #config: RpkiConfig;
  readonly #host: RpkiHost;
  readonly #slots: readonly CacheSlot[];
  readonly #timers = new TimerTable<TimerKey>(
    () => true,
    (key) => this.#fire(key),
  );
  #tables = emptyVrpTables();
  /** Whose VRPs are in force. */
  #source: CacheSlot | undefined;
  #freshMs = 0;
  #isStopped = false;

  constructor(config: RpkiConfig, host: RpkiHost) {
    this.#config = config;
    this.#host = host;
    const events = {
      alive: (slot: CacheSlot) => this.#alive(slot),
      came: (slot: CacheSlot, effect: Arrival) => this.#came(slot, effect),
      failed: (slot: CacheSlot, reason: string, again: boolean) =>
        this.#failed(slot, reason, again),
    };
    this.#slots = config.caches.map((cache) => new CacheSlot(cache, events, host.openSocket));
    this.#elect();
  }

  get tables(): VrpTables {
    return this.#tables;
  }

  status(): RpkiStatus {
    const { ipv4, ipv6 } = this.#tables;
    const age = this.#source ? Math.floor((performance.now() - this.#freshMs) / 1000) : null;
    return {
      caches: this.#slots.map((slot) => this.#view(slot)),
      vrps: { ipv4: ipv4.size, ipv6: ipv6.size },
      ageSeconds: age,
      expiresInSeconds: age === null ? null : Math.max(0, this.#seconds('expire') - age),
    };
  }

  [Symbol.dispose](): void {
    this.#isStopped = true;
    this.#timers.disarmWhere(() => true);
    for (const slot of this.#slots) slot.close();
  }

  #view(slot: CacheSlot): CacheView {
    const { address, port } = slot.cache;
    const { known, version } = slot.session;
    return {
      address,
      port,
      state: this.#stateOf(slot),
      version,
      sessionId: known?.sessionId ?? null,
      serial: known?.serial ?? null,
      lastError: slot.lastError ?? null,
    };
  }

  #stateOf(slot: CacheSlot): CacheView['state'] {
    if (slot === this.#source) return slot.isConnected ? 'in-use' : 'held';
    if (slot.isConnected) return 'loading';
    return slot.isBackingOff ? 'waiting' : 'standby';
  }

  /** Dials the first cache that may be dialled, unless one that is preferred to it is there or on its way. */
  #elect(): void {
    if (this.#isStopped) return;
    for (const slot of this.#slots) {
      if (slot.isConnected) return;
      if (slot.isBackingOff) continue;
      // What we have of a cache whose VRPs are not in force is nothing to go on from.
      if (slot !== this.#source) slot.session.forget();
      slot.dial();
      this.#timers.arm(this.#key('answer', slot), ANSWER_SECONDS);
      return;
    }
  }

  #alive(slot: CacheSlot): void {
    const key = this.#key('answer', slot);
    if (slot.session.isWaiting) this.#timers.arm(key, ANSWER_SECONDS);
    else this.#timers.disarm(key);
  }

  async #came(slot: CacheSlot, arrival: Arrival): Promise<void> {
    this.#alive(slot);
    const isUseful =
      arrival.type === 'loaded'
        ? this.#loaded(slot, arrival.tables)
        : await this.#apply(slot, arrival.changes);
    if (!isUseful || this.#isStopped) return;
    this.#freshMs = performance.now();
    this.#timers.arm('refresh', this.#seconds('refresh'));
    this.#timers.arm('expire', this.#seconds('expire'));
  }

  #loaded(slot: CacheSlot, tables: VrpTables): boolean {
    this.#source = slot;
    this.#tables = tables;
    for (const other of this.#slots) {
      if (other === slot) continue;
      other.close();
      other.session.forget();
      this.#timers.disarm(this.#key('answer', other));
    }
    const { address } = slot.cache;
    const vrps = tables.ipv4.size + tables.ipv6.size;
    this.#host.log.info({ cache: address, vrps }, 'route origins are validated by this cache');
    this.#host.changed(tables, 'all');
    return true;
  }

  /** @returns Whether it fitted what was there. */
  async #apply(slot: CacheSlot, changes: readonly VrpChange[]): Promise<boolean> {
    const tables = this.#tables;
    const prefixes: Prefix[] = [];
    for (const [at, { announce, vrp }] of changes.entries()) {
      const table = tables[vrp.family];
      if (!(announce ? table.add(vrp) : table.remove(vrp))) {
        slot.session.forget();
        slot.fail(`it ${announce ? 'announces what is' : 'withdraws what is not'} there`);
        return false;
      }
      prefixes.push(prefixOf(vrp));
      if ((at + 1) % CHANGES_AT_A_TIME === 0) await nextTurn();
      // Another cache may have taken over meanwhile.
      if (tables !== this.#tables) return false;
    }
    this.#host.log.debug({ cache: slot.cache.address, changes: changes.length }, 'VRPs changed');
    if (prefixes.length > 0) this.#host.changed(tables, prefixes);
    return true;
  }

  #failed(slot: CacheSlot, reason: string, again: boolean): void {
    if (this.#isStopped) return;
    this.#timers.disarm(this.#key('answer', slot));
    // Once: a cache that wants to be asked anew for ever is a broken one.
    if (!again || slot.failures > 1) {
      slot.isBackingOff = true;
      const soon = FIRST_RETRY_SECONDS * 2 ** Math.min(slot.failures - 1, 16);
      this.#timers.arm(this.#key('retry', slot), Math.min(this.#seconds('retry', slot), soon));
      this.#host.log.warn({ cache: slot.cache.address, reason }, 'RPKI cache failed');
    }
    this.#elect();
  }

  #fire(key: TimerKey): void {
    const [what, index] = key.split(' ');
    const slot = this.#slots[Number(index)];
    if (what === 'refresh') this.#refresh();
    else if (what === 'expire') this.#expire();
    else if (what === 'answer') slot?.fail(`no answer for ${ANSWER_SECONDS} s`);
    else if (slot) {
      slot.isBackingOff = false;
      this.#elect();
    }
  }

  #refresh(): void {
    const source = this.#source;
    if (!source?.isConnected) return;
    source.refresh();
    this.#alive(source);
  }

  #expire(): void {
    this.#host.log.warn('VRPs have expired: no cache has been heard of for too long');
    this.#source?.session.forget();
    this.#source = undefined;
    this.#tables = emptyVrpTables();
    this.#host.changed(this.#tables, 'all');
    this.#elect();
  }

  #key<K extends 'answer' | 'retry'>(what: K, slot: CacheSlot): `${K} ${number}` {
    return `${what} ${this.#slots.indexOf(slot)}`;
  }

  /** What the operator says, else the cache, else the RFC. */
  #seconds(what: keyof typeof BOUNDS, slot = this.#source): number {
    const told = slot?.intervals;
    const { refreshSeconds, retrySeconds, expireSeconds } = this.#config;
    const wanted = {
      refresh: refreshSeconds ?? told?.refreshSeconds ?? DEFAULT_REFRESH_SECONDS,
      retry: retrySeconds ?? told?.retrySeconds ?? DEFAULT_RETRY_SECONDS,
      expire: expireSeconds ?? told?.expireSeconds ?? DEFAULT_EXPIRE_SECONDS,
    }[what];
    const [least, most] = BOUNDS[what];
    return Math.min(most, Math.max(least, wanted));
  }
}

function prefixOf({ words, lengthBits }: Vrp): Prefix {
  const octets = new Uint8Array(4 * words.length);
  for (const [i, word] of words.entries()) writeU32(octets, 4 * i, word);
  return prefixFromBytes(octets, lengthBits);
}
