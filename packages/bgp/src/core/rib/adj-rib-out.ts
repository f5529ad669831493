import type { Family } from '@overland/net';
import type { AttributeEdits } from '../policy/attribute-edits.ts';
import type { EncodedAttributes } from '../wire/attribute-encoder.ts';
import { encodeRouteRefresh } from '../wire/route-refresh.ts';
import { UpdateWriter } from '../wire/update-writer.ts';
import type { EgressClass, ExportRefusal } from './egress-class.ts';
import type { BestChanges } from './loc-rib.ts';
import { IdSet } from './memory/id-set.ts';
import type { RibTables } from './rib-tables.ts';
import type { SharedSubnet } from './shared-subnet.ts';

/** Paths of a group in a row that need not be sent before packing looks no further. */
const MAX_SKIPS = 16;

/** The longest prefix of each family as NLRI. */
const NLRI_OCTETS = { ipv4: 5, ipv6: 17 } as const satisfies Record<Family, number>;

/** The group, so to speak, of the default route that a peer is offered by itself. */
const DEFAULT_ORIGINATED = -1;

const NO_OCTETS = new Uint8Array(0);

/** What an Adj-RIB-Out asks of the Loc-RIB. */
export interface BestPaths {
  /** The group of the best path of a prefix; 0 if it has none. */
  best(prefix: number): number;
}

/** Whom an Adj-RIB-Out serves. */
export interface Recipient {
  /** Slot. */
  readonly peer: number;
  readonly maxMessageOctets: number;
  /** Is told where a refresh begins and ends. RFC 7313. */
  readonly enhancedRefresh: boolean;
}

/** Why a peer is not sent a route. */
export type SendRefusal =
  | ExportRefusal
  /** There is none. */
  | 'no-route'
  /** It is the peer's own. */
  | 'split-horizon'
  /** The peer can be told none: of ours there is no address of the family on the session's link. */
  | 'no-next-hop';

/** `pending`: it is about to be sent, or sent anew; `withdrawing`: the peer has it, and is about to be told otherwise. */
export type SendState = 'advertised' | 'pending' | 'withdrawing' | 'withheld';

/** A route as the peer gets it. */
export interface SentRoute {
  /** Of the best path; 0: the default route that the peer is offered by itself. */
  readonly group: number;
  /** AS numbers have four octets; valid until the next message is packed. */
  readonly attributes: EncodedAttributes;
  /** `undefined`: the peer can be told none, and so gets no route. */
  readonly nextHop: Uint8Array | undefined;
}

/**
 * What one peer was sent of one family, and what it has yet to be sent: three bits per prefix. RFC 4271 section
 * 3.2. A prefix is pending once however often it changed, and messages are packed from what is best when the
 * socket has room: a slow peer costs nobody memory.
 *
 * Prefixes with equal attributes are found by following the group of the best path, both ways.
 */
export class AdjRibOut {
  egress: EgressClass;
  readonly #tables: RibTables;
  readonly #locRib: BestPaths;
  readonly #recipient: Recipient;
  readonly #writer = new UpdateWriter();
  readonly #announce = new IdSet();
  /** Every member is held in the prefix table. */
  readonly #withdraw = new IdSet();
  readonly #advertised = new IdSet();
  /** Our own address as a next hop; without one only others' next hops can be sent. */
  ownNextHop: Uint8Array | undefined;
  /** Where the peer reaches others' next hops without us; `undefined` if there is no such subnet. */
  sharedSubnet: SharedSubnet | undefined;
  /** Prefix 0/0 while {@link originateDefault} is in force, held; 0 while it is not. */
  #ownDefault = 0;
  /** The next prefix of a pass over those that were there when it began, and the last one. */
  #passAt = 1;
  #passEnd: number;
  /** The first pass leaves out what a change has brought to the peer already; a repeated one must not. */
  #isFirstPass = true;
  #owesEndOfRib = true;
  /** Of a refresh, what the peer is to be told next. */
  #owesRefresh: 'begin' | 'end' | undefined;
  #isSettled = false;

  constructor(tables: RibTables, locRib: BestPaths, egress: EgressClass, recipient: Recipient) {
    this.#tables = tables;
    this.#locRib = locRib;
    this.egress = egress;
    this.#recipient = recipient;
    this.#passEnd = tables.highestPrefix();
  }

  /** Prefixes that the peer has from us. */
  get sent(): number {
    return this.#advertised.size;
  }

  /** Whether the peer has the prefix from us, and there still is a route of it. */
  isAdvertised(prefix: number): boolean {
    return this.#advertised.has(prefix) && this.#best(prefix) !== 0;
  }

  /** Why the peer is to have no route of a prefix; `undefined`: it is to have one. */
  refusalOf(prefix: number): SendRefusal | undefined {
    return this.#refusal(this.#best(prefix), prefix);
  }

  /** What has become of a prefix, and what is about to. */
  stateOf(prefix: number): SendState {
    if (this.#announce.has(prefix)) return 'pending';
    if (this.#withdraw.has(prefix)) return 'withdrawing';
    if (this.#advertised.has(prefix)) return 'advertised';
    return this.isPassing && this.refusalOf(prefix) === undefined ? 'pending' : 'withheld';
  }

  /** What the peer gets of a prefix as things are, for people; `undefined`: there is nothing to get. */
  sentOf(prefix: number): SentRoute | undefined {
    const group = this.#best(prefix);
    if (group === 0) return undefined;
    if (group === DEFAULT_ORIGINATED) {
      return { group: 0, attributes: this.egress.encodeOriginated(), nextHop: this.ownNextHop };
    }
    const edits = this.egress.editsOf(group, prefix);
    const attributes = this.egress.encodeWide(group, edits);
    return { group, attributes, nextHop: this.#nextHopFor(group) };
  }

  /** Whether End-of-RIB has been sent. */
  get hasEndedRib(): boolean {
    return !this.#owesEndOfRib;
  }

  get hasUpdate(): boolean {
    return (
      this.#owesRefresh === 'begin' ||
      this.#announce.size > 0 ||
      this.#withdraw.size > 0 ||
      this.#mayEndRefresh ||
      this.#mayEndRib
    );
  }

  get isPassing(): boolean {
    return this.#passAt <= this.#passEnd;
  }

  /** Looks at every prefix again: the peer asked for it, or what it may have has changed. */
  startPass(): void {
    this.#passAt = 1;
    this.#passEnd = this.#tables.highestPrefix();
    this.#isFirstPass = false;
  }

  /** The rules have changed: what is pending by the old ones must not leave before it is looked at again. */
  reconsider(): void {
    this.#announce.clear();
    this.startPass();
  }

  /**
   * Offers the peer a default route of ours instead of that of the Loc-RIB, or ceases to.
   *
   * @param prefix Prefix 0/0; 0 to cease.
   */
  originateDefault(prefix: number): void {
    const before = this.#ownDefault;
    if (before === prefix) return;
    this.#ownDefault = prefix;
    if (prefix !== 0) this.#tables.prefixes.hold(prefix);
    this.#tables.highestPrefix();
    const changed = prefix || before;
    this.#enqueue(changed, this.#wants(this.#best(changed), changed));
    if (before !== 0) this.#tables.prefixes.release(before);
  }

  /** The peer has asked for everything again. Before End-of-RIB that has no beginning: RFC 7313 section 4. */
  refresh(): void {
    if (this.#recipient.enhancedRefresh && !this.#owesEndOfRib) this.#owesRefresh = 'begin';
    this.startPass();
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
        isSame = isWanted && this.#wants(from, prefix) && this.#looksEqual(from, to, prefix);
        splits = this.#splits(from) || this.#splits(to);
      }
      if (!isSame && prefix !== this.#ownDefault) this.#enqueue(prefix, isWanted);
    }
  }

  /** Goes on with a pass. @returns Units used. */
  step(units: number): number {
    let used = 0;
    for (; used < units && this.#passAt <= this.#passEnd; used += 1, this.#passAt += 1) {
      const prefix = this.#passAt;
      const best = this.#best(prefix);
      if (best === 0 || (this.#isFirstPass && this.#advertised.has(prefix))) continue;
      this.#enqueue(prefix, this.#wants(best, prefix));
    }
    return used;
  }

  /** Everything that is known has been decided: End-of-RIB may follow, after the first pass. */
  settle(): void {
    if (!this.isPassing) this.#isSettled = true;
  }

  /**
   * Packs the next message: withdrawals first, because they end loops and black holes.
   *
   * @returns Octets written; 0 when there is nothing to send.
   */
  nextUpdate(target: Uint8Array, offset: number): number {
    if (this.#owesRefresh === 'begin') return this.#tellRefresh('begin', target, offset);
    if (this.#mayEndRefresh) return this.#tellRefresh('end', target, offset);
    this.#writer.open(target, offset, this.#recipient.maxMessageOctets);
    if (this.#withdraw.size > 0) this.#packWithdrawals();
    else if (this.#announce.size > 0) this.#packAnnouncements();
    else if (this.#mayEndRib) {
      this.#owesEndOfRib = false;
      this.#writer.beginWithdraw(this.#tables.family);
    } else return 0;
    return this.#writer.finish();
  }

  /** Lets go of what is pending, after the session ended. @returns Units used. */
  release(units: number): number {
    let used = 0;
    if (this.#ownDefault !== 0) {
      this.#tables.prefixes.release(this.#ownDefault);
      this.#ownDefault = 0;
    }
    for (; used < units && this.#withdraw.size > 0; used += 1) {
      this.#tables.prefixes.release(this.#withdraw.take());
    }
    return used;
  }

  get isReleased(): boolean {
    return this.#withdraw.size === 0 && this.#ownDefault === 0;
  }

  /** The group of what the peer should have of a prefix, if it may have it. */
  #best(prefix: number): number {
    return prefix === this.#ownDefault ? DEFAULT_ORIGINATED : this.#locRib.best(prefix);
  }

  /** Whether all that there was when the refresh began has been sent again. */
  get #mayEndRefresh(): boolean {
    return (
      this.#owesRefresh === 'end' &&
      !this.isPassing &&
      this.#announce.size === 0 &&
      this.#withdraw.size === 0
    );
  }

  #tellRefresh(kind: 'begin' | 'end', target: Uint8Array, offset: number): number {
    const message = encodeRouteRefresh({ kind, family: this.#tables.family });
    target.set(message, offset);
    this.#owesRefresh = kind === 'begin' ? 'end' : undefined;
    return message.length;
  }

  get #mayEndRib(): boolean {
    return (
      this.#owesEndOfRib &&
      this.#isSettled &&
      !this.isPassing &&
      this.#announce.size === 0 &&
      this.#withdraw.size === 0
    );
  }

  #splits(group: number): boolean {
    return group !== 0 && this.egress.splits(group);
  }

  #wants(group: number, prefix: number): boolean {
    return this.#refusal(group, prefix) === undefined;
  }

  #refusal(group: number, prefix: number): SendRefusal | undefined {
    if (group === DEFAULT_ORIGINATED) return this.ownNextHop ? undefined : 'no-next-hop';
    if (group === 0) return 'no-route';
    if (this.#tables.groups.peer(group) === this.#recipient.peer) return 'split-horizon';
    const refusal = this.egress.refusalOf(group, prefix);
    if (refusal !== undefined) return refusal;
    return this.#nextHopFor(group) === undefined ? 'no-next-hop' : undefined;
  }

  #nextHopFor(group: number): Uint8Array | undefined {
    const received = this.#tables.nextHops.onwardOf(this.#tables.groups.nextHop(group));
    const onward = received && this.egress.takesNextHop(received) ? received : undefined;
    if (!this.egress.sendsOwnNextHop(group)) return onward;
    const isThirdParty =
      onward && this.egress.allowsThirdParty(group) && this.sharedSubnet?.reaches(onward);
    return isThirdParty ? onward : this.ownNextHop;
  }

  #looksEqual(a: number, b: number, prefix: number): boolean {
    if (!this.egress.looksEqual(a, b, prefix)) return false;
    return !this.sharedSubnet || this.#nextHopFor(a) === this.#nextHopFor(b);
  }

  #enqueue(prefix: number, isWanted: boolean): void {
    if (isWanted) {
      if (this.#withdraw.delete(prefix)) this.#tables.prefixes.release(prefix);
      this.#announce.add(prefix);
    } else {
      this.#announce.delete(prefix);
      if (this.#advertised.has(prefix) && this.#withdraw.add(prefix)) {
        this.#tables.prefixes.hold(prefix);
      }
    }
  }

  #packWithdrawals(): void {
    const writer = this.#writer;
    const { prefixes, family } = this.#tables;
    writer.beginWithdraw(family);
    while (this.#withdraw.size > 0 && writer.at + NLRI_OCTETS[family] <= writer.end) {
      const prefix = this.#withdraw.take();
      this.#advertised.delete(prefix);
      writer.at = prefixes.writeNlri(prefix, writer.target, writer.at);
      prefixes.release(prefix);
    }
  }

  #packAnnouncements(): void {
    const { family, paths } = this.#tables;
    const first = this.#announce.take();
    const group = this.#best(first);
    if (group === DEFAULT_ORIGINATED) {
      this.#writer.beginAnnounce(
        family,
        this.egress.encodeOriginated(),
        this.ownNextHop ?? NO_OCTETS,
      );
      this.#put(first);
      return;
    }
    const nextHop = this.#nextHopFor(group) ?? NO_OCTETS;
    const edits = this.egress.editsOf(group, first);
    this.#writer.beginAnnounce(family, this.egress.encode(group, edits), nextHop);
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
    const { family, paths } = this.#tables;
    const splits = this.egress.splits(group);
    const writer = this.#writer;
    let skips = 0;
    let at = path;
    while (skips < MAX_SKIPS && writer.at + NLRI_OCTETS[family] <= writer.end) {
      at = direction === 'newer' ? paths.newerInGroup(at) : paths.olderInGroup(at);
      if (at === 0) return;
      const prefix = paths.prefix(at);
      const isAlike = !splits || this.#isPendingWith(prefix, group, edits);
      if (isAlike && this.#best(prefix) === group && this.#announce.delete(prefix)) {
        this.#put(prefix);
        skips = 0;
      } else skips += 1;
    }
  }

  #isPendingWith(prefix: number, group: number, edits: AttributeEdits | undefined): boolean {
    return this.#announce.has(prefix) && this.egress.editsOf(group, prefix) === edits;
  }

  #put(prefix: number): void {
    const writer = this.#writer;
    writer.at = this.#tables.prefixes.writeNlri(prefix, writer.target, writer.at);
    this.#advertised.add(prefix);
  }
}
