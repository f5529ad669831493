import type { PeerConfig, RouteFilter, SpeakerConfig } from '@overland/bgp';
import type {
  BgpConfiguration,
  BgpFilter,
  BgpPeer,
  IpPool,
  Node,
  WorkloadEndpoint,
} from '@overland/model';
import { type Family, familyOf, type IpAddress, type Prefix, parseAddress } from '@overland/net';
import { type ClusterSettings, clusterSettings, type Speaker, speakerOf } from './cluster.ts';
import type { Diagnostic, Report } from './diagnostics.ts';
import { clusterSafety, peerSafety } from './import-safety.ts';
import { listenRangesOf } from './listen-ranges.ts';
import { originatedPrefixes } from './originated.ts';
import { passwordFault } from './passwords.ts';
import { advertisedCommunities } from './prefix-advertisements.ts';
import { FilterCatalog } from './route-filters.ts';
import { routerIdOf } from './router-id.ts';
import { seconds, sessionSettings } from './session-settings.ts';
import {
  isGlobal,
  meshSessions,
  type Neighbourhood,
  peerSessions,
  type Session,
} from './sessions.ts';
import { reportUnsupportedSettings } from './settings-support.ts';
import { aggregatesOf, speakerSettings, speakerSpec } from './speaker-settings.ts';
import { waysToPeers } from './static-routes.ts';
import { peeringAddresses, peeringLinks } from './workload-peers.ts';

/** BIRD's and Calico's `graceful restart time`. */
const RESTART_SECONDS = 120;
const MAX_RESTART_SECONDS = 4095;
const FAMILIES = { IPv4: 'ipv4', IPv6: 'ipv6' } as const;
const ANY_ADDRESS = { ipv4: parseAddress('0.0.0.0'), ipv6: parseAddress('::') } as const;

/** Everything that decides what one node's speaker does. Plain resources, from a datastore or from files. */
export interface FabricInputs {
  readonly nodeName: string;
  /** Every Node of the cluster; only the mesh and selectors need others than our own. */
  readonly nodes: readonly Node[];
  readonly bgpConfigurations: readonly BgpConfiguration[];
  readonly bgpPeers: readonly BgpPeer[];
  /** What the BGPPeers name. */
  readonly bgpFilters: readonly BgpFilter[];
  readonly pools: readonly IpPool[];
  /** Own blocks whose affinity is confirmed. */
  readonly blocks: readonly Prefix[];
  /** Workload endpoints of this node, and of others as far as they are known: those tell what is lent. */
  readonly endpoints: readonly WorkloadEndpoint[];
  /** Addresses of own blocks that other nodes hold, as address management knows them. */
  readonly lent: readonly Prefix[];
  /** No node takes an address from the block of another. */
  readonly strictAffinity: boolean;
  /** Where on the node the secrets of Kubernetes are. */
  readonly secretsDirectory: string;
}

/**
 * Derives the speaker's configuration. The same resources in any order give the same result.
 *
 * @returns `undefined` for `config` if the node's own Node is missing; the diagnostics say so.
 */
export function speakerConfigOf(inputs: FabricInputs): {
  readonly config: SpeakerConfig | undefined;
  /** Addresses that the host's ends of workloads are to have, at which those peer: by interface. */
  readonly links: ReadonlyMap<string, readonly IpAddress[]>;
  readonly diagnostics: readonly Diagnostic[];
} {
  const diagnostics: Diagnostic[] = [];
  const report: Report = (resource, reason) => void diagnostics.push({ resource, reason });
  const node = inputs.nodes.find(({ metadata }) => metadata.name === inputs.nodeName);
  if (!node) {
    report(`Node ${inputs.nodeName}`, 'does not exist');
    return { config: undefined, links: new Map(), diagnostics };
  }
  const settings = clusterSettings(inputs.bgpConfigurations);
  reportUnsupportedSettings(inputs.bgpConfigurations, inputs.nodeName, report);
  const self = speakerOf(node, settings);
  const others = inputs.nodes
    .filter((other) => other !== node)
    .map((other) => speakerOf(other, settings));
  const spec = speakerSpec(settings, inputs.nodeName);
  const filters = new FilterCatalog(inputs.bgpFilters, spec.rpki !== undefined);
  const peering = peeringAddresses(settings);
  const workloads = inputs.endpoints.filter((one) => one.spec.node === inputs.nodeName);
  const neighbourhood = { self, others, filters, workloads, peering, report };
  const sessions = sessionsOf(inputs.bgpPeers, settings, neighbourhood);
  const advertised = advertisedCommunities(settings, inputs.nodeName, report);
  const own = speakerSettings(spec, self, restartSeconds(sessions, settings, report));
  const made = sessions.map((session) => ({
    session,
    peer: {
      ...peerConfigOf(session, self),
      ...sessionSettings(session.spec, { ...inputs, resource: session.resource, report }),
      ...(session.workload && { bindInterface: session.workload.device }),
      ...peerSafety(session, own.role),
      ...filtersOf(session, filters, advertised),
    } satisfies PeerConfig,
  }));
  const peers = made.flatMap(({ session, peer }): PeerConfig[] => (session.range ? [] : [peer]));
  const listenRanges = listenRangesOf(made, report);
  const all = [...peers, ...listenRanges.map(({ peer }) => peer)];
  const families = new Set(all.flatMap((peer) => peer.families));
  const last = [...advertised].flatMap(([family, filter]) =>
    families.has(family) ? [filter] : [],
  );
  const routeFilters = [...filters.select(all), ...last];
  const originate = originatedPrefixes({ ...inputs, node }, report);
  const config: SpeakerConfig = {
    asn: self.asn,
    routerId: routerIdOf(self),
    ...own,
    listen: listenersOf(self, settings, sessions),
    peers,
    ...(listenRanges.length > 0 && { listenRanges }),
    ...(routeFilters.length > 0 && { filters: routeFilters }),
    originate,
    ...aggregatesOf(spec, originate, report),
    ...waysToPeers(sessions, report),
    ...clusterSafety({ ...inputs, peers: all, originate }),
  };
  const links = peeringLinks(sessions, peering);
  return { config, links, diagnostics: diagnostics.toSorted(byResource) };
}

/** Names of a session's filters; what puts communities on own routes comes last. */
function filtersOf(
  session: Session,
  filters: FilterCatalog,
  advertised: ReadonlyMap<Family, RouteFilter>,
): Pick<PeerConfig, 'importFilters' | 'exportFilters'> {
  const families = familiesOf(session);
  const named = filters.namesFor(session.spec.filters ?? [], families);
  const last = families.flatMap((family) => advertised.get(family)?.name ?? []);
  if (last.length === 0) return named;
  return { ...named, exportFilters: [...(named.exportFilters ?? []), ...last] };
}

/** All sessions, one per address and port, or range: of equal ones global peers win, then node peers, then the mesh. */
function sessionsOf(
  peers: readonly BgpPeer[],
  { cluster }: ClusterSettings,
  neighbourhood: Neighbourhood,
): Session[] {
  const { report } = neighbourhood;
  const ordered = peers.toSorted(
    (a, b) =>
      Number(isGlobal(b)) - Number(isGlobal(a)) || compare(a.metadata.name, b.metadata.name),
  );
  const mesh = hasMesh(cluster) ? meshSessions(neighbourhood, cluster.nodeMeshPassword) : [];
  const winners = new Map<string, Session>();
  for (const session of [
    ...ordered.flatMap((peer) => peerSessions(peer, neighbourhood)),
    ...mesh,
  ]) {
    const place = session.range?.prefix ?? session.interface ?? session.address;
    const key = `${place} ${session.port}`;
    const winner = winners.get(key);
    if (!winner) winners.set(key, session);
    else if (session.isWithheld || mesh.includes(session)) continue;
    else if (session.resource !== winner.resource) {
      report(session.resource, `${winner.resource} already peers with ${place}`);
    }
  }
  // One that cannot be had as it should be still keeps out what would take its place with less protection.
  return [...winners.values()]
    .filter(({ isWithheld }) => !isWithheld)
    .toSorted((a, b) => compare(a.name, b.name));
}

function hasMesh({ nodeToNodeMeshEnabled = true, nodeMeshPassword }: ClusterSettings['cluster']) {
  const isOpen = nodeMeshPassword && passwordFault('nodeMeshPassword', nodeMeshPassword);
  return nodeToNodeMeshEnabled && isOpen === undefined;
}

/** Who the peer is, and how it is reached. */
function peerConfigOf(session: Session, self: Speaker) {
  const { name, address, port, asn, spec } = session;
  const family = familyOf(address);
  const { interface: device } = session;
  const isNodeIp =
    spec.sourceAddress !== 'None' && device === undefined && session.range === undefined;
  const nodeIp = isNodeIp ? self.addresses[family] : undefined;
  const source = session.workload ? session.workload.localAddress : nodeIp;
  return {
    name,
    address,
    ...(device !== undefined && {
      interface: device,
      unnumbered: true as const,
      extendedNextHop: true,
    }),
    port,
    ...(source === undefined ? {} : { localAddress: source }),
    asn,
    ...(spec.localASNumber === undefined ? {} : { localAsn: spec.localASNumber }),
    families: familiesOf(session),
    ...(isClient(session, self) && { routeReflectorClient: true }),
    passive: spec.passive ?? isPassive(session, self.addresses[family]),
  };
}

/** An unnumbered session is for both: its link has no other addresses. */
function familiesOf({ address, interface: device, spec }: Session): readonly Family[] {
  const given = spec.addressFamilies?.map((family) => FAMILIES[family]);
  if (given) return given.toSorted();
  return device === undefined ? [familyOf(address)] : ['ipv4', 'ipv6'];
}

/**
 * Whether a route reflector has the other side as a client: every iBGP peer is one, other reflectors among them,
 * but for reflectors of the same cluster. Calico decides it so.
 */
function isClient({ asn, clusterId, spec }: Session, self: Speaker): boolean {
  const isInternal = asn === (spec.localASNumber ?? self.asn);
  return self.clusterId !== undefined && isInternal && clusterId !== self.clusterId;
}

/**
 * Between nodes one side waits, so that connections do not collide: the one whose peer's address is greater as
 * text. Calico decides it so, and both may be in one mesh.
 */
function isPassive({ isNode, address }: Session, own: IpAddress | undefined): boolean {
  return isNode && own !== undefined && address > own;
}

function listenersOf(
  self: Speaker,
  { cluster }: ClusterSettings,
  sessions: readonly Session[],
): SpeakerConfig['listen'] {
  const { port, addresses } = self;
  const families: readonly Family[] = ['ipv4', 'ipv6'];
  return families.flatMap((family) => {
    const own = addresses[family];
    const isUsed = own !== undefined || sessions.some((s) => familyOf(s.address) === family);
    const address = cluster.bindMode === 'NodeIP' ? own : ANY_ADDRESS[family];
    return isUsed && address !== undefined ? [{ address, port }] : [];
  });
}

/** One Restart Time per speaker: the longest that any of its sessions asks for. */
function restartSeconds(
  sessions: readonly Session[],
  { cluster }: ClusterSettings,
  report: Report,
): number {
  const wanted = new Set(
    sessions.map(({ spec, resource }) => {
      const text = resource === 'node mesh' ? cluster.nodeMeshMaxRestartTime : spec.maxRestartTime;
      return seconds(text) ?? RESTART_SECONDS;
    }),
  );
  const longest = Math.min(Math.max(...wanted, 0) || RESTART_SECONDS, MAX_RESTART_SECONDS);
  if (wanted.size > 1) {
    report('graceful restart', `sessions differ in their restart time: all use ${longest}s`);
  }
  return longest;
}

function byResource(a: Diagnostic, b: Diagnostic): number {
  return compare(a.resource, b.resource) || compare(a.reason, b.reason);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
