import { type Family, familyOf, type Prefix, type RouteBatch } from '@overland/net';
import type { AggregateConfig, PeerConfig, SpeakerConfig } from '../config.ts';
import { communityOf } from '../policy/community-test.ts';
import { OriginValidation } from '../rpki/origin-validation.ts';
import type { VrpTables } from '../rpki/vrp-table.ts';
import { aggregateSet } from '../wire/aggregate-set.ts';
import { HEADER_OCTETS, MAX_MESSAGE_OCTETS, MessageType } from '../wire/header.ts';
import { EgressClass, type EgressKey } from './egress-class.ts';
import type { EngineStatistics, UpdateGroup } from './engine-statistics.ts';
import { explainRoute } from './explain-route.ts';
import { FamilyRib } from './family-rib.ts';
import { Links } from './links.ts';
import { BestMonitor } from './monitor/best-monitor.ts';
import { OutMonitor } from './monitor/out-monitor.ts';
import { PathMonitor } from './monitor/path-monitor.ts';
import type { MonitoredRib, RibMonitor } from './monitor/rib-monitor.ts';
import { NextHopSets } from './next-hop-sets.ts';
import { DISCARD_ORIGIN, OriginatedRoutes } from './originated-routes.ts';
import { LiveSession, Peer, reflectorIds } from './peer.ts';
import { CensusTaker } from './peer-census.ts';
import { PeerPolicies } from './peer-policies.ts';
import { PeerRanks } from './peer-ranks.ts';
import type { RibOut } from './rib-out.ts';
import { RouteBatches } from './route-batches.ts';
import type {
  EstablishedSession,
  Gateway,
  InterfaceState,
  NotificationFault,
  PeerId,
  RouteCounters,
  RouteEngine,
  RoutePage,
  RouteQuery,
  RouteSearch,
  Sliced,
  TableDump,
  TableDumpOptions,
} from './route-engine.ts';
import type { ExplainQuery, PeerCensus, RouteExplanation } from './route-explanation.ts';
import { RouteViews } from './route-view.ts';
import { createSharedTables, type SharedTables } from './shared-tables.ts';
import { dumpedPeers, RibDump } from './table-dump.ts';
import { updateGroups } from './update-groups.ts';
import { UpdateReceiver } from './update-receiver.ts';

const NO_OCTETS = new Uint8Array(0);
const FAMILIES = ['ipv4', 'ipv6'] as const satisfies readonly Family[];

export interface RouteEngineOptions {
  /** Tables to share with other speakers of this thread; own ones by default. */
  readonly shared?: SharedTables;
  /** Whether somebody programs the batches of {@link RouteEngine.nextRouteBatch}; if not, they are empty. Yes by default. */
  readonly kernelRoutes?: boolean;
}

/**
 * Makes the route half of a speaker. It begins deferred: routes are taken in and decided, but nothing leaves
 * before {@link RouteEngine.endDeferral}; and no next hop is usable before {@link RouteEngine.setInterfaces}.
 */
export function createRouteEngine(
  config: SpeakerConfig,
  { shared = createSharedTables(), kernelRoutes = true }: RouteEngineOptions = {},
): RouteEngine {
  const engine = new Engine(config, shared);
  if (!kernelRoutes) engine.discardKernelRoutes();
  engine.configure(config);
  return engine;
}

class Engine implements RouteEngine {
  #config: SpeakerConfig;
  #policies: PeerPolicies;
  #links = new Links([]);
  #interfaces: readonly InterfaceState[] = [];
  #beyond = beyondLinks({});
  #isDeferred = true;
  readonly #origins = new OriginValidation();
  readonly #shared: SharedTables;
  readonly #ranks = new PeerRanks();
  readonly #ribs: Readonly<Record<Family, FamilyRib>>;
  readonly #peers: (Peer | undefined)[] = [];
  readonly #classes = new Map<string, EgressClass>();
  readonly #receiver: UpdateReceiver;
  /** Of sessions with extended messages; made for the first one. RFC 8654. */
  #extendedReceiver: UpdateReceiver | undefined;
  readonly #originated: OriginatedRoutes;
  readonly #batches: RouteBatches;
  /** Who is told of what is sent. */
  readonly #outMonitors = new Set<OutMonitor>();
  readonly #views = new RouteViews({
    origins: this.#origins,
    nameOf: (slot) => this.#peers[slot]?.name ?? '',
    slotOf: (id) => this.#peer(id).slot,
    outOf: (id, family) => this.#peer(id).live?.outs.get(family),
  });

  constructor(config: SpeakerConfig, shared: SharedTables) {
    this.#config = config;
    this.#policies = new PeerPolicies(config, shared.treatments, this.#origins);
    this.#shared = shared;
    const sets = new NextHopSets();
    const rib = (family: Family): FamilyRib =>
      new FamilyRib(
        { ...shared, prefixes: shared.prefixes[family] },
        {
          sets,
          peers: this.#ranks,
          links: this.#links,
          aggregateEvents: {
            announce: (aggregate, origin) => this.#announceAggregate(aggregate, origin),
            withdraw: (prefix) => {
              this.#routesChange();
              this.#originated.withdraw(prefix);
            },
          },
        },
      );
    this.#ribs = { ipv4: rib('ipv4'), ipv6: rib('ipv6') };
    this.#receiver = new UpdateReceiver(shared, this.#ribs, this.#links);
    this.#originated = new OriginatedRoutes(shared, this.#ribs);
    this.#batches = new RouteBatches(this.#ribs);
  }

  /** Before the first route. */
  discardKernelRoutes(): void {
    for (const family of FAMILIES) this.#ribs[family].fib.discard();
  }

  configure(config: SpeakerConfig): void {
    this.#routesChange();
    const isElsewhere = beyondLinks(config) !== this.#beyond;
    this.#beyond = beyondLinks(config);
    this.#config = config;
    this.#origins.ownAsn = config.asn;
    this.#policies = new PeerPolicies(config, this.#shared.treatments, this.#origins);
    this.#originated.set(config.originate);
    if (isElsewhere) this.#relink();
    this.#originated.setStatic(config.static ?? [], this.#links);
    for (const family of FAMILIES) {
      this.#ribs[family].setMultipath(config.multipath);
      this.#ribs[family].setReflector(reflectorIds(config));
      this.#ribs[family].suppressFibPending(config.suppressFibPending ?? false);
      this.#ribs[family].aggregates.set(family, config.aggregates);
    }
    const byIdentity = new Map(config.peers.map((peer) => [identity(peer), peer]));
    for (const peer of this.#peers) {
      const policy = peer?.config && byIdentity.get(identity(peer.config));
      if (!peer || !policy) continue;
      peer.name = policy.name;
      peer.config = policy;
      for (const family of policy.families) this.#applyImport(peer.slot, policy, family);
      if (peer.live) this.#applyExport(peer.slot, peer.live, policy);
    }
    this.#dropUnusedClasses();
  }

  setInterfaces(interfaces: readonly InterfaceState[]): void {
    this.#routesChange();
    this.#interfaces = interfaces;
    this.#relink();
  }

  /** Interfaces have changed, or what lies beyond them. */
  #relink(): void {
    this.#links = new Links(this.#interfaces, this.#config);
    this.#receiver.links = this.#links;
    if (this.#extendedReceiver) this.#extendedReceiver.links = this.#links;
    for (const family of FAMILIES) this.#ribs[family].setLinks(this.#links);
    for (const peer of this.#peers) {
      for (const [family, out] of peer?.live?.outs ?? []) {
        if (peer?.live && this.#setLinks(out, peer.live, family)) out.startPass();
      }
    }
    this.#reconsiderLinks();
  }

  unreachableNextHops(): readonly Gateway[] {
    return FAMILIES.flatMap((family) =>
      this.#ribs[family].tables.nextHops.unreachable(this.#links),
    );
  }

  peerUp(session: EstablishedSession): void {
    this.#routesChange();
    const peer = this.#peer(session.peer);
    if (peer.live) this.peerDown(session.peer, []);
    const live = new LiveSession(session, this.#config);
    peer.live = live;
    peer.config = session.config;
    peer.name = session.config.name;
    this.#ranks.set(peer.slot, session.config.address);
    for (const family of FAMILIES) {
      const rib = this.#ribs[family];
      if (!session.families.includes(family)) {
        rib.adjRibIn(peer.slot).flushStale();
        continue;
      }
      this.#applyImport(peer.slot, session.config, family);
      rib.adjRibIn(peer.slot).begin(session.addPath?.receive.includes(family) ?? false);
      rib.setClient(peer.slot, live.isClient);
      const out = rib.openOut(this.#class(live, family), {
        peer: peer.slot,
        maxMessageOctets: session.maxMessageOctets,
        enhancedRefresh: session.enhancedRefresh ?? false,
      });
      this.#setLinks(out, live, family);
      out.setLimit(session.config.maxAdvertised?.[family]);
      this.#originateDefault(out, live, family);
      live.outs.set(family, out);
    }
  }

  peerDown(id: PeerId, retain: readonly Family[]): void {
    this.#routesChange();
    const peer = this.#peer(id);
    const live = peer.live;
    if (!live) return;
    peer.live = undefined;
    peer.endOfRib.clear();
    for (const [family, out] of live.outs) {
      this.#ribs[family].removeOut(out);
      this.#ribs[family].adjRibIn(peer.slot).end(retain.includes(family));
    }
  }

  peerRemoved(id: PeerId): void {
    this.peerDown(id, []);
    this.flushStale(id);
    this.#peers[id + 1] = undefined;
  }

  flushStale(id: PeerId, families: readonly Family[] = FAMILIES): void {
    this.#routesChange();
    for (const family of families) this.#ribs[family].adjRibIn(this.#peer(id).slot).flushStale();
  }

  beginLongLived(id: PeerId, families: readonly Family[]): void {
    this.#routesChange();
    for (const family of families)
      this.#ribs[family].adjRibIn(this.#peer(id).slot).beginLongLived();
  }

  receiveUpdate(id: PeerId, body: Uint8Array): NotificationFault | undefined {
    this.#routesChange();
    const peer = this.#peer(id);
    const { live } = peer;
    return live && this.#receiverOf(live).receive(peer, live, body);
  }

  beginRefresh(id: PeerId, family: Family): void {
    this.#routesChange();
    const peer = this.#peer(id);
    const adjRibIn = this.#ribs[family].adjRibIn(peer.slot);
    const awaitsEndOfRib = adjRibIn.accepted.stale > 0 && !peer.endOfRib.has(family);
    if (peer.live?.outs.has(family) && !awaitsEndOfRib) adjRibIn.beginRefresh();
  }

  refresh(id: PeerId, family: Family): void {
    this.#peer(id).live?.outs.get(family)?.refresh();
  }

  step(units: number): boolean {
    let left = units;
    for (const family of FAMILIES) {
      const used = this.#ribs[family].step(Math.max(1, left));
      if (used > 0) this.#ribs[family].tables.epoch += 1;
      left -= used;
    }
    if (!this.#isDeferred) this.#batches.settle();
    return FAMILIES.some((family) => this.#ribs[family].hasWork);
  }

  nextUpdate(id: PeerId, target: Uint8Array, offset: number): number {
    const peer = this.#peer(id);
    if (this.#isDeferred || !peer.live) return 0;
    for (const out of peer.live.outs.values()) {
      const octets = out.nextUpdate(target, offset);
      if (octets === 0) continue;
      if (target[offset + HEADER_OCTETS - 1] !== MessageType.Update) return octets;
      peer.updatesSent += 1;
      if (this.#outMonitors.size > 0) {
        this.#tellSent(peer, target.subarray(offset + HEADER_OCTETS, offset + octets));
      }
      return octets;
    }
    return 0;
  }

  hasUpdate(id: PeerId): boolean {
    const live = this.#peers[id + 1]?.live;
    if (this.#isDeferred || !live) return false;
    for (const out of live.outs.values()) if (out.hasUpdate) return true;
    return false;
  }

  nextRouteBatch(maxRecords: number): RouteBatch | undefined {
    return this.#isDeferred ? undefined : this.#batches.next(maxRecords);
  }

  routesApplied(sequence: number, missing: readonly Prefix[]): void {
    this.#routesChange();
    this.#batches.applied(sequence, missing);
  }

  routesArrived(prefixes: readonly Prefix[]): void {
    this.#routesChange();
    this.#batches.arrived(prefixes);
  }

  endDeferral(): void {
    this.#isDeferred = false;
    this.#batches.settle();
  }

  endOfRibReceived(id: PeerId): readonly Family[] {
    return [...this.#peer(id).endOfRib];
  }

  endOfRibSent(id: PeerId): readonly Family[] {
    const outs = this.#peer(id).live?.outs ?? new Map<Family, RibOut>();
    return [...outs].filter(([, out]) => out.hasEndedRib).map(([family]) => family);
  }

  received(id: PeerId, family: Family): number {
    return this.#ribs[family].adjRibIn(this.#peer(id).slot).accepted.all;
  }

  counters(id: PeerId): RouteCounters {
    const peer = this.#peer(id);
    const perFamily = (count: (family: Family) => number): Record<Family, number> => ({
      ipv4: count('ipv4'),
      ipv6: count('ipv6'),
    });
    return {
      received: perFamily((family) => this.#ribs[family].adjRibIn(peer.slot).accepted.all),
      stale: perFamily((family) => this.#ribs[family].adjRibIn(peer.slot).accepted.stale),
      filtered: perFamily((family) => this.#ribs[family].adjRibIn(peer.slot).filtered.all),
      sent: perFamily((family) => peer.live?.outs.get(family)?.sent ?? 0),
      heldBack: perFamily((family) => peer.live?.outs.get(family)?.heldBack ?? 0),
      updatesReceived: peer.updatesReceived,
      updatesSent: peer.updatesSent,
      refused: Object.fromEntries(peer.refused),
      refusedByRule: Object.fromEntries(peer.refusedByRule),
    };
  }

  routes(query: RouteQuery): RoutePage {
    const search = this.search(query);
    while (search.step(Number.MAX_SAFE_INTEGER));
    return search.result();
  }

  search(query: RouteQuery): RouteSearch {
    return this.#views.search(this.#ribs[query.family], query);
  }

  vrpsChanged(tables: VrpTables, changed: readonly Prefix[] | 'all'): void {
    this.#routesChange();
    this.#origins.tables = tables;
    for (const family of FAMILIES) {
      const ofFamily =
        changed === 'all' ? changed : changed.filter((prefix) => familyOf(prefix) === family);
      this.#ribs[family].revalidation.request(ofFamily);
    }
  }

  originateUpdate(body: Uint8Array, fourOctetAs: boolean): boolean {
    this.#routesChange();
    return this.#originated.takeUpdate(body, fourOctetAs);
  }

  monitor(rib: MonitoredRib, family: Family): RibMonitor {
    if (rib === 'loc-rib') return new BestMonitor(this.#ribs[family]);
    if (rib === 'out-pre-policy' || rib === 'out-post-policy') {
      const monitor = new OutMonitor(rib, this.#ribs[family], {
        outOf: (slot) => this.#peers[slot]?.live?.outs.get(family),
        closed: (closed) => void this.#outMonitors.delete(closed),
      });
      this.#outMonitors.add(monitor);
      return monitor;
    }
    const hasEndedRib = (slot: number): boolean => this.#peers[slot]?.endOfRib.has(family) ?? false;
    return new PathMonitor(rib, this.#ribs[family], { hasEndedRib });
  }

  dump(options: TableDumpOptions): TableDump {
    const { routerId, asn } = this.#config;
    const ribs = FAMILIES.map((family) => this.#ribs[family]);
    const peers = dumpedPeers(this.#peers, options);
    return new RibDump({ ribs, routerId, asn, peers }, options);
  }

  explain(query: ExplainQuery): RouteExplanation {
    const family = familyOf(query.prefix.prefix);
    const context = { rib: this.#ribs[family], views: this.#views, isDeferred: this.#isDeferred };
    const peer = query.to === undefined ? undefined : this.#peer(query.to);
    const live = peer?.live;
    const to = peer && { out: live?.outs.get(family), isUp: live !== undefined };
    return explainRoute(query, to, context);
  }

  statistics(): EngineStatistics {
    const { attributes } = this.#shared;
    const { ipv4, ipv6 } = this.#ribs;
    return {
      families: { ipv4: ipv4.statistics, ipv6: ipv6.statistics },
      attributeSets: attributes.size,
      attributeOctets: attributes.capacity,
    };
  }

  updateGroups(): readonly UpdateGroup[] {
    return updateGroups(this.#peers);
  }

  census(id: PeerId, family: Family): Sliced<PeerCensus> {
    const { slot, live } = this.#peer(id);
    return new CensusTaker(this.#ribs[family], slot, live?.outs.get(family));
  }

  /** @param body Of an UPDATE. */
  #tellSent({ slot, live }: Peer, body: Uint8Array): void {
    if (!live) return;
    const { session, context } = live;
    const sent = { ...context, addPath: session.addPath?.send ?? [] };
    for (const monitor of this.#outMonitors) monitor.sent(slot, body, sent);
  }

  /** What was packed for one peer may be wrong for others from here on. */
  #routesChange(): void {
    for (const family of FAMILIES) this.#ribs[family].tables.epoch += 1;
  }

  #announceAggregate({ prefix, communities = [] }: AggregateConfig, origin: number): void {
    this.#routesChange();
    const { asn, routerId } = this.#config;
    const attributes = { origin, asn, routerId, communities: communities.map(communityOf) };
    this.#originated.announce(prefix, aggregateSet(attributes), DISCARD_ORIGIN);
  }

  #peer(id: PeerId): Peer {
    const slot = id + 1;
    const found = this.#peers[slot];
    if (found) return found;
    const created = new Peer(slot);
    this.#peers[slot] = created;
    return created;
  }

  #receiverOf({ session }: LiveSession): UpdateReceiver {
    if (session.maxMessageOctets === MAX_MESSAGE_OCTETS) return this.#receiver;
    this.#extendedReceiver ??= new UpdateReceiver(
      this.#shared,
      this.#ribs,
      this.#links,
      this.#shared.forExtended(),
    );
    return this.#extendedReceiver;
  }

  /** Peers with equal keys share a class. */
  #class(live: LiveSession, family: Family): EgressClass {
    const filters = this.#policies.exportOf(live.policy, family);
    const key: EgressKey = live.egressKey(family, this.#config, filters?.id ?? '');
    const name = JSON.stringify(key);
    const found = this.#classes.get(name);
    if (found) return found;
    const created = new EgressClass(key, filters, this.#ribs[family].tables, this.#shared);
    this.#classes.set(name, created);
    return created;
  }

  /** Takes over what next hops depend on. @returns Whether they may be others. */
  #setLinks(out: RibOut, live: LiveSession, family: Family): boolean {
    const octets = live.ownNextHop(family, this.#links);
    const subnet = live.sharedSubnet(family, this.#links);
    const { offer } = out;
    if (sameOctets(offer.ownNextHop, octets) && offer.sharedSubnet?.prefix === subnet?.prefix) {
      return false;
    }
    offer.ownNextHop = octets;
    offer.sharedSubnet = subnet;
    return true;
  }

  /** Lets a peer have a default route of its own, or not. */
  #originateDefault(out: RibOut, { policy }: LiveSession, family: Family): void {
    const { nlri, prefixIds, prefixes } = this.#shared;
    if (policy.defaultOriginate) {
      nlri.readOne(family, NO_OCTETS, 0);
      prefixes[family].internAll(nlri, prefixIds);
    }
    out.originateDefault(policy.defaultOriginate ? (prefixIds[0] ?? 0) : 0);
  }

  /** What is there from the peer, of a session before perhaps, follows in slices. */
  #applyImport(slot: number, config: PeerConfig, family: Family): void {
    const { tables } = this.#ribs[family];
    const adjRibIn = this.#ribs[family].adjRibIn(slot);
    if (tables.allowAsIn.get(slot) !== config.allowAsIn) {
      tables.allowAsIn.set(slot, config.allowAsIn);
      adjRibIn.reconsider();
    }
    adjRibIn.setPolicy(this.#policies.importOf(config, family));
  }

  #applyExport(slot: number, live: LiveSession, config: PeerConfig): void {
    live.adopt(config);
    for (const [family, out] of live.outs) {
      this.#ribs[family].setClient(slot, live.isClient);
      out.setLimit(config.maxAdvertised?.[family]);
      this.#originateDefault(out, live, family);
      if (this.#setLinks(out, live, family)) out.startPass();
      const egress = this.#class(live, family);
      if (egress === out.offer.egress) continue;
      out.offer.egress = egress;
      out.reconsider();
    }
  }

  /** Filters may ask for the interface of a next hop. */
  #reconsiderLinks(): void {
    for (const { policy } of this.#classes.values()) policy?.linksChanged();
    for (const peer of this.#peers) {
      for (const family of peer?.config?.families ?? []) {
        const adjRibIn = this.#ribs[family].adjRibIn(peer?.slot ?? 0);
        if (adjRibIn.policy?.needsInterface) adjRibIn.reconsider();
      }
      for (const out of peer?.live?.outs.values() ?? []) {
        if (out.offer.egress.policy?.needsInterface) out.reconsider();
      }
    }
  }

  #dropUnusedClasses(): void {
    const outs = this.#peers.flatMap((peer) => [...(peer?.live?.outs.values() ?? [])]);
    const used = new Set(outs.map(({ offer }) => offer.egress));
    for (const [name, egress] of this.#classes) {
      if (used.has(egress)) continue;
      egress.policy?.dispose();
      this.#classes.delete(name);
    }
  }
}

/** What makes a session another session: see SpeakerConfig. */
function identity(peer: SpeakerConfig['peers'][number]): string {
  const { address, interface: device, port, localAddress, asn, localAsn } = peer;
  return JSON.stringify([address, device, port, localAddress, asn, localAsn]);
}

function sameOctets(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  if (!a || !b) return a === b;
  return a.length === b.length && a.every((octet, i) => octet === b[i]);
}

/** Equal for configurations that say the same of what lies beyond links. */
function beyondLinks({
  neighbours = [],
  static: statics = [],
}: Pick<SpeakerConfig, 'neighbours' | 'static'>): string {
  return JSON.stringify([neighbours, statics]);
}
