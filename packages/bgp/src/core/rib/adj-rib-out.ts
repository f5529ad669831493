import type { AttributeEdits } from '../policy/attribute-edits.ts';
import type { EgressClass } from './egress-class.ts';
import type { BestChanges } from './loc-rib.ts';
import { LogCursor } from './log-cursor.ts';
import { IdSet } from './memory/id-set.ts';
import type { MessageLog } from './message-log.ts';
import { NO_OCTETS, OutQueue } from './out-queue.ts';
import {
  MAX_SKIPS,
  NLRI_OCTETS,
  type Recipient,
  type RibOut,
  type SendRefusal,
  type SendState,
  type SentRoute,
} from './rib-out.ts';
import type { RibTables } from './rib-tables.ts';
import { SendLimit } from './send-limit.ts';

/** The group, so to speak, of the default route that a peer is offered by itself. */
const DEFAULT_ORIGINATED = -1;

/** Prefixes that are being withdrawn: for all, because it is used within one call. */
const LEAVING = new Int32Array(256);

/** What an Adj-RIB-Out asks of the Loc-RIB. */
export interface BestPaths {
  /** The group of the best path of a prefix; 0 if it has none. */
  best(prefix: number): number;
}

/**
 * What one peer was sent of one family, and what it has yet to be sent: three bits per prefix. RFC 4271 section
 * 3.2. A prefix is pending once however often it changed, and messages are packed from what is best when the
 * socket has room: a slow peer costs nobody memory.
 *
 * Prefixes with equal attributes are found by following the group of the best path, both ways.
 */
export class AdjRibOut extends OutQueue implements RibOut {
  readonly #locRib: BestPaths;
  /** Every member is held in the prefix table. */
  readonly #withdraw = new IdSet();
  readonly #cursor = new LogCursor();

  constructor(tables: RibTables, locRib: BestPaths, egress: EgressClass, recipient: Recipient) {
    super(tables, egress, recipient);
    this.#locRib = locRib;
  }

  get sent(): number {
    return this.advertised.size;
  }

  get announcing(): number {
    return this.announce.size;
  }

  get withdrawing(): number {
    return this.#withdraw.size;
  }

  setLimit(most: number | undefined): void {
    if (most === this.limit?.most) return;
    const [announce, advertised, withdraw] = [this.announce, this.advertised, this.#withdraw];
    this.limit =
      most === undefined ? undefined : new SendLimit(most, { announce, advertised, withdraw });
    this.reconsider();
  }

  isAdvertised(prefix: number): boolean {
    return this.advertised.has(prefix) && this.#best(prefix) !== 0;
  }

  refusalOf(prefix: number): SendRefusal | undefined {
    const isHeld = this.limit?.holds(prefix) ?? false;
    return this.#refusal(this.#best(prefix), prefix) ?? (isHeld ? 'send-limit' : undefined);
  }

  stateOf(prefix: number): SendState {
    if (this.announce.has(prefix)) return 'pending';
    if (this.#withdraw.has(prefix)) return 'withdrawing';
    if (this.advertised.has(prefix)) return 'advertised';
    return this.isPassing && this.refusalOf(prefix) === undefined ? 'pending' : 'withheld';
  }

  *sentOf(prefix: number): Iterable<SentRoute> {
    const group = this.#best(prefix);
    const { egress, ownNextHop } = this.offer;
    if (group === 0) return;
    if (group === DEFAULT_ORIGINATED) {
      const attributes = egress.encodeOriginated();
      yield { group: 0, pathId: null, attributes, nextHop: ownNextHop };
    } else {
      const attributes = egress.encodeWide(group, egress.editsOf(group, prefix));
      yield { group, pathId: null, attributes, nextHop: this.offer.nextHopOf(group, prefix) };
    }
  }

  reconsiderPrefix(prefix: number): void {
    const best = this.#best(prefix);
    if (best !== 0) this.#enqueue(prefix, this.#wants(best, prefix));
  }

  originateDefault(prefix: number): void {
    const before = this.ownDefault;
    if (before === prefix) return;
    this.ownDefault = prefix;
    if (prefix !== 0) this.tables.prefixes.hold(prefix);
    this.tables.highestPrefix();
    const changed = prefix || before;
    this.#enqueue(changed, this.#wants(this.#best(changed), changed));
    if (before !== 0) this.tables.prefixes.release(before);
  }

  /** The Loc-RIB has other best paths for some prefixes. */
  bestChanged({ count, prefixes, before, best }: BestChanges): void {
    // Prefixes come in runs that go from one group to another.
    let [from, to] = [-1, -1];
    let [isWanted, isSame, splits] = [false, false, false];
    for (let i = 0; i < count; i += 1) {
      const [former, latter, prefix] = [before[i] ?? 0, best[i] ?? 0, prefixes[i] ?? 0];
      if (splits || former !== from || latter !== to) {
        from = former;
        to = latter;
        isWanted = this.#wants(to, prefix);
        isSame = isWanted && this.#wants(from, prefix) && this.offer.looksEqual(from, to, prefix);
        splits = this.offer.splits(from) || this.offer.splits(to);
      }
      if (!isSame && prefix !== this.ownDefault) this.#enqueue(prefix, isWanted);
    }
  }

  step(units: number): number {
    const phases = this.phases;
    let used = 0;
    for (; used < units && phases.isPassing; used += 1) {
      const prefix = phases.nextPrefix();
      const best = this.#best(prefix);
      if (best === 0 || (phases.isFirstPass && this.advertised.has(prefix))) continue;
      this.#enqueue(prefix, this.#wants(best, prefix));
    }
    return used;
  }

  protected packChanges(): boolean {
    if (this.#withdraw.size > 0) this.#packWithdrawals();
    else if (this.announce.size > 0) this.#packAnnouncements();
    else return false;
    return true;
  }

  protected override copyUpdate(target: Uint8Array, offset: number): number {
    const log = this.offer.egress.messages;
    log.enter(this.tables.epoch);
    const isPlain = this.#withdraw.size === 0 && !this.limit && this.ownDefault === 0;
    if (!isPlain || this.announce.size === 0) return 0;
    for (let at = this.#cursor.next(log); at >= 0; at = this.#cursor.next(log)) {
      const octets = this.#copyMessage(log, at, target, offset);
      if (octets > 0) return octets;
    }
    return 0;
  }

  /** Copies a message of the log if each of its prefixes is pending: they are best as they were. */
  #copyMessage(log: MessageLog, message: number, target: Uint8Array, offset: number): number {
    const [first, end] = [log.firstPrefix(message), log.endOfPrefixes(message)];
    for (let at = first; at < end; at += 1) if (!this.announce.has(log.prefixAt(at))) return 0;
    const nextHop = this.offer.nextHopOf(log.group(message), log.prefixAt(first));
    if (nextHop?.length !== log.nextHopOctets(message)) return 0;
    for (let at = first; at < end; at += 1) {
      const prefix = log.prefixAt(at);
      this.announce.delete(prefix);
      this.advertised.add(prefix);
    }
    return log.copy(message, nextHop, target, offset);
  }

  protected override packed(target: Uint8Array, offset: number, octets: number): void {
    if (!this.#cursor.isRecording) return;
    const message = target.subarray(offset, offset + octets);
    this.#cursor.end(this.offer.egress.messages, message, this.writer.nextHopAt - offset);
  }

  release(units: number): number {
    let used = 0;
    this.releaseDefault();
    for (; used < units && this.#withdraw.size > 0; used += 1) {
      this.tables.prefixes.release(this.#withdraw.take());
    }
    return used;
  }

  get isReleased(): boolean {
    return this.#withdraw.size === 0 && this.ownDefault === 0;
  }

  /** The group of what the peer should have of a prefix, if it may have it. */
  #best(prefix: number): number {
    return prefix === this.ownDefault ? DEFAULT_ORIGINATED : this.#locRib.best(prefix);
  }

  protected get isIdle(): boolean {
    return this.announce.size === 0 && this.#withdraw.size === 0;
  }

  #wants(group: number, prefix: number): boolean {
    return this.#refusal(group, prefix) === undefined;
  }

  #refusal(group: number, prefix: number): SendRefusal | undefined {
    if (group === DEFAULT_ORIGINATED) return this.offer.ownNextHop ? undefined : 'no-next-hop';
    return this.offer.refusalOf(group, prefix);
  }

  #enqueue(prefix: number, isWanted: boolean): void {
    const limit = this.limit;
    if (isWanted && (!limit || limit.admits(prefix))) {
      this.#announceOne(prefix);
      return;
    }
    if (this.announce.delete(prefix)) limit?.removed(prefix);
    if (this.advertised.has(prefix) && this.#withdraw.add(prefix)) {
      this.tables.prefixes.hold(prefix);
    }
    if (!limit) return;
    if (!isWanted) limit.forget(prefix);
    for (let next = limit.next(); next !== 0; next = limit.next()) this.#announceOne(next);
  }

  #announceOne(prefix: number): void {
    if (this.#withdraw.delete(prefix)) this.tables.prefixes.release(prefix);
    if (this.announce.add(prefix)) this.limit?.added(prefix);
  }

  #packWithdrawals(): void {
    const writer = this.writer;
    const { prefixes, family } = this.tables;
    writer.beginWithdraw(family);
    for (;;) {
      const room = Math.floor((writer.end - writer.at) / NLRI_OCTETS[family]);
      const count = this.#withdraw.takeMany(LEAVING, Math.min(room, LEAVING.length));
      if (count === 0) return;
      for (let i = 0; i < count; i += 1) {
        const prefix = LEAVING[i] ?? 0;
        this.advertised.delete(prefix);
        writer.at = prefixes.writeNlri(prefix, writer.target, writer.at);
      }
      prefixes.releaseAll(LEAVING, count);
    }
  }

  #packAnnouncements(): void {
    const { family, paths } = this.tables;
    const first = this.announce.take();
    const group = this.#best(first);
    if (group === DEFAULT_ORIGINATED) {
      this.writer.beginAnnounce(
        family,
        this.offer.egress.encodeOriginated(),
        this.offer.ownNextHop ?? NO_OCTETS,
      );
      this.#put(first);
      return;
    }
    const nextHop = this.offer.nextHopOf(group, first) ?? NO_OCTETS;
    const edits = this.offer.egress.editsOf(group, first);
    this.#cursor.begin(this.offer.egress.messages, group, nextHop);
    this.writer.beginAnnounce(family, this.offer.egress.encode(group, edits), nextHop);
    this.#put(first);
    const path = paths.inGroup(first, group);
    if (path === 0) return;
    this.#packNeighbours(path, { group, edits }, 'newer');
    this.#packNeighbours(path, { group, edits }, 'older');
  }

  /** Adds pending prefixes of the same group that are sent alike, walking away from `path`. */
  #packNeighbours(
    path: number,
    { group, edits }: { group: number; edits: AttributeEdits | undefined },
    direction: 'newer' | 'older',
  ): void {
    const { family, paths } = this.tables;
    const splits = this.offer.egress.splits(group);
    const writer = this.writer;
    let skips = 0;
    let at = path;
    while (skips < MAX_SKIPS && writer.at + NLRI_OCTETS[family] <= writer.end) {
      at = direction === 'newer' ? paths.newerInGroup(at) : paths.olderInGroup(at);
      if (at === 0) return;
      const prefix = paths.prefix(at);
      const isAlike = !splits || this.#isPendingWith(prefix, group, edits);
      if (isAlike && this.#best(prefix) === group && this.announce.delete(prefix)) {
        this.#put(prefix);
        skips = 0;
      } else skips += 1;
    }
  }

  #isPendingWith(prefix: number, group: number, edits: AttributeEdits | undefined): boolean {
    return this.announce.has(prefix) && this.offer.egress.editsOf(group, prefix) === edits;
  }

  #put(prefix: number): void {
    const writer = this.writer;
    writer.at = this.tables.prefixes.writeNlri(prefix, writer.target, writer.at);
    this.#cursor.add(this.offer.egress.messages, prefix);
    if (this.advertised.add(prefix)) this.limit?.sent();
  }
}
