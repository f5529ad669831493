import type { RemoteAs } from '@overland/bgp';
import {
  type BgpPeer,
  matches,
  parsePeerAddress,
  parseSelector,
  type WorkloadEndpoint,
} from '@overland/model';
import { type Family, familyOf, type IpAddress, type Prefix, parseAddress } from '@overland/net';
import type { Speaker } from './cluster.ts';
import type { Report } from './diagnostics.ts';
import { rangeSession } from './listen-ranges.ts';
import { namesPeers, reportIgnored, unsupported } from './peer-support.ts';
import type { FilterCatalog } from './route-filters.ts';
import type { SessionSpec } from './session-settings.ts';
import { type PeeringAddresses, workloadSessions } from './workload-peers.ts';

/** A session that this node should have, before its settings are worked out. */
export interface Session {
  /** Unique; also the order of the result. */
  readonly name: string;
  /** The resource it comes from, for diagnostics. */
  readonly resource: string;
  /** `::` with {@link interface}: where the peer is heard is the speaker's to find out. */
  readonly address: IpAddress;
  /** Of an unnumbered session. */
  readonly interface?: string;
  /** The peers are whoever dials from there. */
  readonly range?: { readonly prefix: Prefix; readonly limit: number };
  /** The peer is a workload of this node. */
  readonly workload?: { readonly device: string; readonly localAddress: IpAddress | undefined };
  readonly port: number;
  readonly asn: RemoteAs;
  readonly spec: SessionSpec;
  /** The other side is a node of this cluster, and peers with us as well. */
  readonly isNode: boolean;
  /** It must not be made, nor any other with the peer. */
  readonly isWithheld: boolean;
  /** Of the other side, where that is a route reflector. */
  readonly clusterId: IpAddress | undefined;
}

export interface Neighbourhood {
  readonly self: Speaker;
  /** All others. */
  readonly others: readonly Speaker[];
  readonly filters: FilterCatalog;
  /** Of this node. */
  readonly workloads: readonly WorkloadEndpoint[];
  readonly peering: PeeringAddresses;
  readonly report: Report;
}

const DEFAULT_PORT = 179;
const UNHEARD = parseAddress('::');
/** Who has one role sees the other side in this one. RFC 9234 section 4.2. */
const OTHER_ROLE = {
  Provider: 'Customer',
  Customer: 'Provider',
  Peer: 'Peer',
  RS: 'RSClient',
  RSClient: 'RS',
} as const;
const FAMILIES = ['ipv4', 'ipv6'] as const satisfies readonly Family[];

/** The full mesh between nodes: without route reflectors, which others reach through BGPPeers. */
export function meshSessions(
  { self, others }: Neighbourhood,
  password: SessionSpec['password'],
): Session[] {
  if (self.clusterId) return [];
  const spec: SessionSpec = password ? { password } : {};
  const origin = { name: 'mesh', resource: 'node mesh', spec, isWithheld: false };
  return others
    .filter(({ clusterId }) => !clusterId)
    .flatMap((other) => nodeSessions(self, other, origin));
}

/** Sessions that one BGPPeer gives this node: as the side it names, or as the mirror of that side. */
export function peerSessions(peer: BgpPeer, neighbourhood: Neighbourhood): Session[] {
  const { self, others, filters, report } = neighbourhood;
  const resource = `BGPPeer ${peer.metadata.name}`;
  const applies = appliesTo(peer, self);
  const mirrored = applies ? [] : mirrorOf(peer, neighbourhood);
  if (!applies && mirrored.length === 0) return [];
  const { spec } = peer;
  const reason = unsupported(peer) ?? filters.fault(spec.filters ?? []);
  if (reason === undefined) reportIgnored(peer, resource, report);
  else report(resource, reason);
  if (!namesPeers(peer)) return [];
  const isWithheld = reason !== undefined;
  const origin = { name: peer.metadata.name, resource, spec, isWithheld };
  if (!applies) {
    return mirrored.flatMap((other) =>
      nodeSessions(self, other, { ...origin, spec: mirroredSpec(spec) }),
    );
  }
  if (spec.peerSelector) {
    return selected(spec.peerSelector, others).flatMap((other) =>
      nodeSessions(self, other, origin),
    );
  }
  if (spec.localWorkloadSelector) {
    const { workloads, peering } = neighbourhood;
    return workloadSessions(peer, workloads, peering).map((one) => ({ ...origin, ...one }));
  }
  if (spec.listenRange) {
    return [{ ...origin, ...rangeSession(spec.listenRange, spec.asNumber) }];
  }
  if (spec.interface) {
    return [{ ...origin, ...unnumberedSession(spec.interface, spec.asNumber) }];
  }
  const session = addressedSession(peer, neighbourhood);
  return session ? [{ ...origin, ...session }] : [];
}

/** Whether the resource is about all nodes, or names this one. */
function appliesTo({ spec }: BgpPeer, speaker: Speaker): boolean {
  if (spec.node) return spec.node === speaker.name;
  return !spec.nodeSelector || matches(parseSelector(spec.nodeSelector), speaker.labels);
}

/** Whether the resource is about all nodes: such sessions win over those of single nodes. */
export function isGlobal({ spec }: BgpPeer): boolean {
  return !spec.node && !spec.nodeSelector;
}

function selected(selector: string, speakers: readonly Speaker[]): Speaker[] {
  const expression = parseSelector(selector);
  return speakers.filter(({ labels }) => matches(expression, labels));
}

/** Nodes whose session with us the resource describes from their side (`reversePeering: Auto`). */
function mirrorOf(peer: BgpPeer, { self, others }: Neighbourhood): Speaker[] {
  const { peerIP, peerSelector, reversePeering, asNumber } = peer.spec;
  if (reversePeering !== 'Auto') return [];
  const describesUs = (): boolean => {
    if (peerSelector) return selected(peerSelector, [self]).length > 0;
    if (!peerIP) return false;
    const { address, port } = parsePeerAddress(peerIP);
    return (
      Object.values(self.addresses).includes(address) &&
      (asNumber ?? self.asn) === self.asn &&
      (port ?? self.port) === self.port
    );
  };
  return describesUs() ? others.filter((other) => appliesTo(peer, other)) : [];
}

/** What the resource says about its own side only. */
const OF_ONE_SIDE = [
  'localASNumber',
  'localASMode',
  'passive',
  'importSafety',
  'asOverride',
  'removePrivateAS',
  'enforceFirstAS',
  'allowASSets',
  'defaultOriginate',
  'minimumHoldTime',
  'bindInterface',
] as const satisfies readonly (keyof SessionSpec)[];

function mirroredSpec(given: BgpPeer['spec']): SessionSpec {
  const spec: SessionSpec = { ...given };
  for (const field of OF_ONE_SIDE) delete spec[field];
  const { role, addPath } = spec;
  return {
    ...spec,
    ...(role && { role: OTHER_ROLE[role] }),
    ...(addPath && { addPath: mirroredAddPath(addPath) }),
  };
}

/** The other side takes what this one sends, and sends what this one takes. RFC 7911. */
function mirroredAddPath({
  receive,
  send,
}: NonNullable<SessionSpec['addPath']>): NonNullable<SessionSpec['addPath']> {
  return { receive: send !== 'None', send: receive ? 'All' : 'None' };
}

/** One session per family that both nodes have an address of. */
function nodeSessions(
  self: Speaker,
  other: Speaker,
  origin: Pick<Session, 'name' | 'resource' | 'spec' | 'isWithheld'>,
): Session[] {
  return FAMILIES.flatMap((family) => {
    const address = other.addresses[family];
    if (!address || !self.addresses[family]) return [];
    const name = `${origin.name}/${other.name}/${family}`;
    const { port, asn, clusterId } = other;
    return [{ ...origin, name, address, port, asn, clusterId, isNode: true }];
  });
}

/** FRR's `neighbor IF interface remote-as external`, unless an AS number is given. */
function unnumberedSession(
  device: string,
  asn: RemoteAs = 'external',
): Pick<Session, 'address' | 'interface' | 'port' | 'asn' | 'isNode' | 'clusterId'> {
  return {
    address: UNHEARD,
    interface: device,
    port: DEFAULT_PORT,
    asn,
    isNode: false,
    clusterId: undefined,
  };
}

function addressedSession(
  { metadata, spec }: BgpPeer,
  { self, others, report }: Neighbourhood,
): Pick<Session, 'address' | 'port' | 'asn' | 'isNode' | 'clusterId'> | undefined {
  const resource = `BGPPeer ${metadata.name}`;
  const { address, port } = parsePeerAddress(spec.peerIP ?? '');
  const node = others.find(({ addresses }) => addresses[familyOf(address)] === address);
  const asn = spec.asNumber ?? node?.asn;
  if (Object.values(self.addresses).includes(address)) {
    report(resource, `peerIP ${address} is an address of this node`);
    return undefined;
  }
  if (asn === undefined) {
    report(resource, `has no asNumber, and ${address} is no node of the cluster`);
    return undefined;
  }
  return {
    address,
    port: port ?? node?.port ?? DEFAULT_PORT,
    asn,
    isNode: node !== undefined,
    clusterId: node?.clusterId,
  };
}
