import type { AttributeEdits } from '../policy/attribute-edits.ts';
import { writeU32 } from '../wire/attribute-set.ts';
import { PATH_ID_OCTETS } from '../wire/nlri.ts';
import type { EgressClass } from './egress-class.ts';
import { IdSet } from './memory/id-set.ts';
import { NO_OCTETS, OutQueue } from './out-queue.ts';
import type { Ranking } from './ranking.ts';
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

/** Path identifier of the default route that a peer is offered by itself. Those of paths begin with 1. */
const OWN_DEFAULT_ID = 0;

/**
 * What a peer that takes path identifiers was sent of one family, and what it has yet to be sent: three bits per path. RFC
 * 7911. As in AdjRibOut, messages are packed when the socket has room.
 *
 * The identifier of a path is its number here: it stays while its peer has the path, whatever it announces it with, and no two
 * paths have the same. Where it is given to another path, the peer has been told before that the first one is gone.
 */
export class AddPathOut extends OutQueue implements RibOut {
  readonly #ranking: Ranking;
  /** Paths of which the peer has something else than what they are now. */
  readonly #outdated = new IdSet();
  /** Prefixes, held, and the path identifiers that the peer is to forget. At most what it was sent. */
  readonly #withdrawnPrefixes: number[] = [];
  readonly #withdrawnIds: number[] = [];
  /** Those prefixes again, for people who ask about one: the list may be long. */
  readonly #withdrawing = new IdSet();
  #announcesDefault = false;
  /** Prefix 0/0, if the peer has our default route of it. */
  #advertisedDefault = 0;
  /** Paths of one prefix that the peer should have. */
  readonly #wanted: number[] = [];

  constructor(tables: RibTables, ranking: Ranking, egress: EgressClass, recipient: Recipient) {
    super(tables, egress, recipient);
    this.#ranking = ranking;
  }

  get sent(): number {
    return this.advertised.size + (this.#advertisedDefault === 0 ? 0 : 1);
  }

  get announcing(): number {
    return this.announce.size + (this.#announcesDefault ? 1 : 0);
  }

  get withdrawing(): number {
    return this.#withdrawnPrefixes.length;
  }

  /** Counts paths; a default route of our own is not one. */
  setLimit(most: number | undefined): void {
    if (most === this.limit?.most) return;
    const [announce, advertised] = [this.announce, this.advertised];
    this.limit = most === undefined ? undefined : new SendLimit(most, { announce, advertised });
    this.reconsider();
  }

  isAdvertised(prefix: number): boolean {
    if (prefix === this.#advertisedDefault) return true;
    const { paths } = this.tables;
    for (let path = paths.first(prefix); path !== 0; path = paths.following(path)) {
      if (this.advertised.has(path)) return true;
    }
    return false;
  }

  refusalOf(prefix: number): SendRefusal | undefined {
    if (prefix === this.ownDefault) return this.offer.ownNextHop ? undefined : 'no-next-hop';
    this.#ranking.start(prefix);
    const wanted = this.#wantedOf(prefix);
    if (wanted.some((path) => !this.limit?.holds(path))) return undefined;
    if (wanted.length > 0) return 'send-limit';
    return this.offer.refusalOf(this.#ranking.at(0), prefix);
  }

  stateOf(prefix: number): SendState {
    const { paths } = this.tables;
    if (prefix === this.ownDefault && this.#announcesDefault) return 'pending';
    for (let path = paths.first(prefix); path !== 0; path = paths.following(path)) {
      if (this.announce.has(path)) return 'pending';
    }
    if (this.isAdvertised(prefix)) return 'advertised';
    if (this.#withdrawing.has(prefix)) return 'withdrawing';
    return this.isPassing && this.refusalOf(prefix) === undefined ? 'pending' : 'withheld';
  }

  *sentOf(prefix: number): Iterable<SentRoute> {
    const { egress, ownNextHop } = this.offer;
    if (prefix === this.ownDefault) {
      const attributes = egress.encodeOriginated();
      yield { group: 0, pathId: OWN_DEFAULT_ID, attributes, nextHop: ownNextHop };
      return;
    }
    this.#ranking.start(prefix);
    for (const path of [...this.#wantedOf(prefix)]) {
      const group = this.tables.paths.group(path);
      const attributes = egress.encodeWide(group, egress.editsOf(group, prefix));
      yield { group, pathId: path, attributes, nextHop: this.offer.nextHopOf(group, prefix) };
    }
  }

  reconsiderPrefix(prefix: number): void {
    this.#ranking.start(prefix);
    this.#reconcile(prefix, true);
  }

  originateDefault(prefix: number): void {
    const before = this.ownDefault;
    if (before === prefix) return;
    this.ownDefault = prefix;
    this.#announcesDefault = false;
    if (prefix !== 0) this.tables.prefixes.hold(prefix);
    this.tables.highestPrefix();
    this.#ranking.start(prefix || before);
    this.decided(prefix || before);
    if (before !== 0) this.tables.prefixes.release(before);
  }

  step(units: number): number {
    const phases = this.phases;
    let used = 0;
    for (; used < units && phases.isPassing; used += 1) {
      const prefix = phases.nextPrefix();
      if (this.tables.paths.first(prefix) === 0 && prefix !== this.ownDefault) continue;
      this.#ranking.start(prefix);
      this.#reconcile(prefix, !phases.isFirstPass);
    }
    return used;
  }

  /** Paths of a prefix, which the ranking has been started with, have been decided. */
  decided(prefix: number): void {
    this.#reconcile(prefix, false);
  }

  /** A path is about to move to another group. What is pending of it waits for the decision. */
  pathMoves(path: number, group: number): void {
    const { paths } = this.tables;
    this.limit?.forget(path);
    const wasPending = this.#unannounce(path);
    if (!this.advertised.has(path)) return;
    const before = paths.group(path);
    if (wasPending || !this.offer.looksEqual(before, group, paths.prefix(path))) {
      this.#outdated.add(path);
    }
  }

  /** A path is about to be removed, and its number may come to stand for another one. */
  pathLeaves(path: number): void {
    this.limit?.forget(path);
    this.#unannounce(path);
    this.#takeBack(path);
  }

  protected packChanges(): boolean {
    if (this.#withdrawnPrefixes.length > 0) this.#packWithdrawals();
    else if (this.#announcesDefault) this.#packDefault();
    else if (this.announce.size > 0) this.#packAnnouncements();
    else return false;
    return true;
  }

  release(units: number): number {
    let used = 0;
    this.releaseDefault();
    for (; used < units && this.#withdrawnPrefixes.length > 0; used += 1) {
      this.tables.prefixes.release(this.#withdrawnPrefixes.pop() ?? 0);
    }
    return used;
  }

  get isReleased(): boolean {
    return this.#withdrawnPrefixes.length === 0 && this.ownDefault === 0;
  }

  protected get isIdle(): boolean {
    const isSent = this.announce.size === 0 && !this.#announcesDefault;
    return isSent && this.#withdrawnPrefixes.length === 0;
  }

  /** @param again Sends what the peer has, too. */
  #reconcile(prefix: number, again: boolean): void {
    this.#reconcileDefault(prefix, again);
    const { paths } = this.tables;
    const wanted = this.#wantedOf(prefix);
    for (let path = paths.first(prefix); path !== 0; path = paths.following(path)) {
      if (!wanted.includes(path)) this.limit?.forget(path);
      else if (!this.limit || this.limit.admits(path)) {
        const isDue = again || !this.advertised.has(path) || this.#outdated.has(path);
        if (isDue) this.#announceOne(path);
        continue;
      }
      this.#unannounce(path);
      this.#takeBack(path);
    }
    const limit = this.limit;
    if (!limit) return;
    for (let next = limit.next(); next !== 0; next = limit.next()) this.#announceOne(next);
  }

  #announceOne(path: number): void {
    if (this.announce.add(path)) this.limit?.added(path);
  }

  /** @returns Whether it was to be announced. */
  #unannounce(path: number): boolean {
    const wasPending = this.announce.delete(path);
    if (wasPending) this.limit?.removed(path);
    return wasPending;
  }

  #reconcileDefault(prefix: number, again: boolean): void {
    if (prefix !== this.ownDefault && prefix !== this.#advertisedDefault) return;
    if (prefix === this.ownDefault && this.offer.ownNextHop) {
      this.#announcesDefault ||= again || this.#advertisedDefault === 0;
      return;
    }
    this.#announcesDefault = false;
    if (this.#advertisedDefault === 0) return;
    this.#advertisedDefault = 0;
    this.#forget(prefix, OWN_DEFAULT_ID);
  }

  /** The paths of a prefix, which the ranking has been started with, that the peer should have. */
  #wantedOf(prefix: number): readonly number[] {
    this.#wanted.length = 0;
    if (prefix === this.ownDefault) return this.#wanted;
    const selection = this.offer.egress.key.addPath ?? 'all';
    if (selection === 'all') this.#wantAll(prefix);
    else if (selection === 'multipath') {
      for (const group of this.#ranking.sharing()) this.#wantOne(prefix, group);
    } else {
      for (let place = 0; this.#wanted.length < selection.best; place += 1) {
        const group = this.#ranking.at(place);
        if (group === 0) break;
        this.#wantOne(prefix, group);
      }
    }
    return this.#wanted;
  }

  #wantAll(prefix: number): void {
    const tables = this.tables;
    const { paths } = tables;
    for (let path = paths.first(prefix); path !== 0; path = paths.following(path)) {
      const group = paths.group(path);
      if (tables.isEligible(group) && this.offer.includes(group, prefix)) this.#wanted.push(path);
    }
  }

  /** Of equal paths of one peer one will do, and preferably the one that was sent. */
  #wantOne(prefix: number, group: number): void {
    if (!this.offer.includes(group, prefix)) return;
    const { paths } = this.tables;
    let chosen = 0;
    for (let path = paths.first(prefix); path !== 0; path = paths.following(path)) {
      if (paths.group(path) !== group) continue;
      if (chosen === 0 || this.advertised.has(path)) chosen = path;
    }
    this.#wanted.push(chosen);
  }

  #takeBack(path: number): void {
    this.#outdated.delete(path);
    if (this.advertised.delete(path)) this.#forget(this.tables.paths.prefix(path), path);
  }

  #forget(prefix: number, identifier: number): void {
    this.tables.prefixes.hold(prefix);
    this.#withdrawnPrefixes.push(prefix);
    this.#withdrawnIds.push(identifier);
    this.#withdrawing.add(prefix);
  }

  #packWithdrawals(): void {
    const { prefixes, family } = this.tables;
    this.writer.beginWithdraw(family);
    while (this.#withdrawnPrefixes.length > 0 && this.#hasRoom) {
      const prefix = this.#withdrawnPrefixes.pop() ?? 0;
      this.#write(prefix, this.#withdrawnIds.pop() ?? 0);
      this.#withdrawing.delete(prefix);
      prefixes.release(prefix);
    }
  }

  #packDefault(): void {
    const { egress, ownNextHop = NO_OCTETS } = this.offer;
    this.writer.beginAnnounce(this.tables.family, egress.encodeOriginated(), ownNextHop);
    this.#write(this.ownDefault, OWN_DEFAULT_ID);
    this.#announcesDefault = false;
    this.#advertisedDefault = this.ownDefault;
  }

  #packAnnouncements(): void {
    const { family, paths } = this.tables;
    const { egress } = this.offer;
    const path = this.announce.take();
    const group = paths.group(path);
    const edits = egress.editsOf(group, paths.prefix(path));
    const nextHop = this.offer.nextHopOf(group, paths.prefix(path)) ?? NO_OCTETS;
    this.writer.beginAnnounce(family, egress.encode(group, edits), nextHop);
    this.#put(path);
    this.#packNeighbours(path, edits, 'newer');
    this.#packNeighbours(path, edits, 'older');
  }

  /** Adds pending paths of the same group that are sent alike, walking away from `path`. */
  #packNeighbours(
    path: number,
    edits: AttributeEdits | undefined,
    direction: 'newer' | 'older',
  ): void {
    const { paths } = this.tables;
    const group = paths.group(path);
    const splits = this.offer.splits(group);
    let skips = 0;
    let at = path;
    while (skips < MAX_SKIPS && this.#hasRoom) {
      at = direction === 'newer' ? paths.newerInGroup(at) : paths.olderInGroup(at);
      if (at === 0) return;
      const isAlike = !splits || this.offer.egress.editsOf(group, paths.prefix(at)) === edits;
      if (isAlike && this.announce.delete(at)) {
        this.#put(at);
        skips = 0;
      } else skips += 1;
    }
  }

  #put(path: number): void {
    this.#write(this.tables.paths.prefix(path), path);
    if (this.advertised.add(path)) this.limit?.sent();
    this.#outdated.delete(path);
  }

  get #hasRoom(): boolean {
    const octets = PATH_ID_OCTETS + NLRI_OCTETS[this.tables.family];
    return this.writer.at + octets <= this.writer.end;
  }

  #write(prefix: number, identifier: number): void {
    const { target, at } = this.writer;
    writeU32(target, at, identifier);
    this.writer.at = this.tables.prefixes.writeNlri(prefix, target, at + PATH_ID_OCTETS);
  }
}
