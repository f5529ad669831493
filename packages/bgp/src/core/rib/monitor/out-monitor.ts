import { MAX_EXTENDED_OCTETS } from '../../wire/header.ts';
import { pathIdOctets } from '../../wire/mp-attributes.ts';
import { NlriList } from '../../wire/nlri.ts';
import { type UpdateContext, UpdateDecoder } from '../../wire/update.ts';
import type { FamilyRib } from '../family-rib.ts';
import type { BestChanges } from '../loc-rib.ts';
import type { RibOut, SentRoute } from '../rib-out.ts';
import type { PeerId } from '../route-engine.ts';
import { MonitoredUpdate } from './monitored-update.ts';
import { MAX_SKIPS, type RibMonitor } from './rib-monitor.ts';
import { ToldRoutes } from './told-routes.ts';

/** What the monitor is told about peers. Slots. */
export interface MonitoredOuts {
  /** `undefined`: there is no session, or none of the family. */
  outOf(slot: number): RibOut | undefined;
  closed(monitor: OutMonitor): void;
}

/** Paths of one prefix that follow each other in messages of their own. */
interface Unfinished {
  readonly told: ToldRoutes;
  readonly prefix: number;
  readonly pathIds: number[];
}

/**
 * What peers have from us: RFC 8671. Before export rules that is what was chosen, but for what came from the peer itself; after them it
 * is what the peer was sent. As in other monitors, a prefix is pending once however often it changed, and is told as it is by then.
 *
 * What was sent is seen from the messages themselves ({@link sent}), so that an Adj-RIB-Out does nothing more for it.
 */
export class OutMonitor implements RibMonitor {
  readonly rib: 'out-pre-policy' | 'out-post-policy';
  peer: PeerId | undefined;
  readonly #family: FamilyRib;
  readonly #source: MonitoredOuts;
  readonly #update: MonitoredUpdate;
  /** By slot; a hole: its session is not up, or not told. */
  readonly #peers: (ToldRoutes | undefined)[] = [];
  readonly #decoder = new UpdateDecoder(MAX_EXTENDED_OCTETS);
  readonly #list: NlriList;
  readonly #ids: Int32Array;
  #unfinished: Unfinished | undefined;

  constructor(rib: OutMonitor['rib'], family: FamilyRib, source: MonitoredOuts) {
    this.rib = rib;
    this.#family = family;
    this.#source = source;
    this.#update = new MonitoredUpdate(family.tables);
    const isSeen = rib === 'out-post-policy';
    this.#list = new NlriList(isSeen ? MAX_EXTENDED_OCTETS : 0);
    this.#ids = new Int32Array(isSeen ? MAX_EXTENDED_OCTETS : 0);
    if (!isSeen) family.watchBest(this);
  }

  get hasWork(): boolean {
    return (
      this.#unfinished !== undefined || this.#peers.some((told) => told && this.#hasWorkOf(told))
    );
  }

  peerUp(peer: PeerId, pathIds: boolean): void {
    const slot = peer + 1;
    const { prefixes } = this.#family.tables;
    const end = this.#family.tables.highestPrefix();
    this.#peers[slot] = new ToldRoutes(prefixes, slot, pathIds, end);
  }

  peerDown(peer: PeerId): void {
    const told = this.#peers[peer + 1];
    if (!told) return;
    this.#peers[peer + 1] = undefined;
    if (this.#unfinished?.told === told) this.#unfinished = undefined;
    this.#family.releaseLater(told);
  }

  step(units: number): void {
    let left = units;
    for (const told of this.#peers) {
      for (; told?.isPassing && left > 0; left -= 1) {
        const prefix = told.nextPrefix();
        if (this.#isWanted(told, prefix)) told.pending.add(prefix);
      }
    }
  }

  bestChanged({ count, prefixes }: BestChanges): void {
    for (const told of this.#peers) {
      for (let i = 0; told && i < count; i += 1) told.pending.add(prefixes[i] ?? 0);
    }
  }

  /**
   * An UPDATE is being sent to a peer.
   *
   * @param body Without the 19-octet header; read only while the call lasts.
   * @param context Of what we send in the session.
   */
  sent(slot: number, body: Uint8Array, context: UpdateContext): void {
    const told = this.#peers[slot];
    if (!told || this.rib === 'out-pre-policy') return;
    if (this.#decoder.decode(body, context) !== undefined) return;
    const { prefixes, family } = this.#family.tables;
    for (const section of [...this.#decoder.withdrawn, ...this.#decoder.announced]) {
      if (section.family !== family || section.from === section.to) continue;
      const isIdentified = pathIdOctets(family, context.addPath) > 0;
      if (isIdentified) this.#list.readIdentified(family, body, section.from, section.to);
      else this.#list.read(family, body, section.from, section.to);
      prefixes.findAll(this.#list, this.#ids);
      for (let i = 0; i < this.#list.count; i += 1) {
        const id = this.#ids[i] ?? 0;
        if (id !== 0) told.pending.add(id);
      }
    }
  }

  next(target: Uint8Array, offset: number): number {
    const octets = this.#packUnfinished(target, offset);
    if (octets > 0) return octets;
    for (const told of this.#peers) {
      if (!told || !this.#hasWorkOf(told)) continue;
      const packed = this.#packOf(told, target, offset);
      if (packed > 0) {
        this.peer = told.peer - 1;
        return packed;
      }
    }
    return 0;
  }

  close(): void {
    if (this.rib === 'out-pre-policy') this.#family.unwatchBest(this);
    for (const told of this.#peers) if (told) this.#family.releaseLater(told);
    this.#peers.length = 0;
    this.#unfinished = undefined;
    this.#source.closed(this);
  }

  #hasWorkOf(told: ToldRoutes): boolean {
    return told.isPassing || told.pending.size > 0 || this.#mayEndRib(told);
  }

  /** All that the peer was sent at first has been told. */
  #mayEndRib(told: ToldRoutes): boolean {
    if (!told.owesEndOfRib || told.isPassing || told.pending.size > 0) return false;
    if (this.rib === 'out-pre-policy') return this.#family.isDecided;
    return this.#source.outOf(told.peer)?.hasEndedRib ?? false;
  }

  #isWanted({ peer }: ToldRoutes, prefix: number): boolean {
    const { groups } = this.#family.tables;
    if (this.rib === 'out-post-policy') {
      return this.#source.outOf(peer)?.isAdvertised(prefix) ?? false;
    }
    const best = this.#family.locRib.best(prefix);
    return best !== 0 && groups.peer(best) !== peer;
  }

  #packOf(told: ToldRoutes, target: Uint8Array, offset: number): number {
    this.#update.hasPathIds = told.areIdentified;
    for (let prefix = told.pending.take(); prefix !== 0; prefix = told.pending.take()) {
      if (!this.#isWanted(told, prefix)) {
        if (told.knows(prefix)) return this.#packWithdrawals(told, prefix, { target, offset });
      } else if (this.rib === 'out-pre-policy') {
        return this.#packChosen(told, prefix, { target, offset });
      } else if (told.areIdentified) {
        const octets = this.#beginIdentified(told, prefix, { target, offset });
        if (octets > 0) return octets;
      } else return this.#packSent(told, prefix, { target, offset });
    }
    if (!this.#mayEndRib(told)) return 0;
    told.owesEndOfRib = false;
    this.#update.beginWithdraw(target, offset);
    return this.#update.finish();
  }

  #packWithdrawals(told: ToldRoutes, first: number, { target, offset }: Output): number {
    this.#update.beginWithdraw(target, offset);
    for (let prefix = first; prefix !== 0; prefix = told.pending.take()) {
      const isGone = !this.#isWanted(told, prefix);
      const pathIds = told.pathIdsOf(prefix);
      const isFull = prefix !== first && !this.#update.hasRoomFor(pathIds.length);
      if (!isGone || isFull) {
        told.pending.add(prefix);
        break;
      }
      for (const pathId of pathIds) this.#update.put(prefix, pathId);
      told.forget(prefix);
    }
    return this.#update.finish();
  }

  /** Before export rules: as it was chosen. */
  #packChosen(told: ToldRoutes, first: number, { target, offset }: Output): number {
    const { locRib, tables } = this.#family;
    const group = locRib.best(first);
    const attribute = tables.groups.attribute(group);
    this.#update.beginAnnounce(target, offset, attribute, tables.groups.nextHop(group));
    this.#put(told, first);
    this.#packNeighbours(told, first, group, () => true);
    return this.#update.finish();
  }

  /** After export rules: as the peer was sent it. */
  #packSent(told: ToldRoutes, first: number, { target, offset }: Output): number {
    const out = this.#source.outOf(told.peer);
    const [sent] = out?.sentOf(first) ?? [];
    if (!out || !sent) return 0;
    this.#begin(sent, { target, offset });
    this.#put(told, first);
    const { egress } = out.offer;
    const { group } = sent;
    if (group !== 0) {
      const edits = egress.editsOf(group, first);
      this.#packNeighbours(
        told,
        first,
        group,
        (prefix) => out.isAdvertised(prefix) && egress.editsOf(group, prefix) === edits,
      );
    }
    return this.#update.finish();
  }

  /** What goes in the same message: other pending prefixes of the group that are told alike. */
  #packNeighbours(
    told: ToldRoutes,
    first: number,
    group: number,
    isAlike: (prefix: number) => boolean,
  ): void {
    const { paths } = this.#family.tables;
    const path = paths.inGroup(first, group);
    if (path === 0) return;
    for (const beside of [
      (at: number) => paths.newerInGroup(at),
      (at: number) => paths.olderInGroup(at),
    ]) {
      let skips = 0;
      for (let at = beside(path); at !== 0 && skips < MAX_SKIPS; at = beside(at)) {
        if (!this.#update.hasRoom) return;
        const prefix = paths.prefix(at);
        const isChosen = this.#family.locRib.best(prefix) === group;
        if (isChosen && told.pending.has(prefix) && isAlike(prefix)) {
          told.pending.delete(prefix);
          this.#put(told, prefix);
          skips = 0;
        } else skips += 1;
      }
    }
  }

  /** Withdraws paths of a prefix that are gone, and leaves the others to {@link #packUnfinished}. */
  #beginIdentified(told: ToldRoutes, prefix: number, { target, offset }: Output): number {
    const sent = Array.from(
      this.#source.outOf(told.peer)?.sentOf(prefix) ?? [],
      (one) => one.pathId ?? 0,
    );
    const gone = told.pathIdsOf(prefix).filter((pathId) => !sent.includes(pathId));
    told.learn(prefix, sent);
    if (sent.length > 0) this.#unfinished = { told, prefix, pathIds: [...sent] };
    if (gone.length === 0) {
      if (sent.length === 0) told.forget(prefix);
      return this.#packUnfinished(target, offset);
    }
    this.#update.beginWithdraw(target, offset);
    for (const pathId of gone) this.#update.put(prefix, pathId);
    if (sent.length === 0) told.forget(prefix);
    return this.#update.finish();
  }

  #packUnfinished(target: Uint8Array, offset: number): number {
    const { told, prefix, pathIds } = this.#unfinished ?? {};
    if (!told || prefix === undefined) return 0;
    for (let id = pathIds?.shift(); id !== undefined; id = pathIds?.shift()) {
      for (const sent of this.#source.outOf(told.peer)?.sentOf(prefix) ?? []) {
        if ((sent.pathId ?? 0) !== id) continue;
        this.peer = told.peer - 1;
        this.#update.hasPathIds = true;
        this.#begin(sent, { target, offset });
        this.#update.put(prefix, id);
        return this.#update.finish();
      }
    }
    this.#unfinished = undefined;
    return 0;
  }

  #begin({ attributes, nextHop }: SentRoute, { target, offset }: Output): void {
    this.#update.beginEncoded(target, offset, attributes, nextHop);
  }

  #put(told: ToldRoutes, prefix: number): void {
    this.#update.put(prefix, 0);
    told.learn(prefix);
  }
}

interface Output {
  readonly target: Uint8Array;
  readonly offset: number;
}
