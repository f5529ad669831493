import type { PeerConfig, SpeakerConfig } from '@overland/bgp';
import type { IpPool, WorkloadEndpoint } from '@overland/model';
import { comparePrefixes, contains, type Prefix } from '@overland/net';
import type { Session } from './sessions.ts';

/**
 * The built-in checks of what a peer sends: on for hosts, and on route reflectors and routers where the BGPPeer asks for them. A
 * default route is taken only from a peer whose BGPPeer says so (decision 0140).
 */
export function peerSafety(
  { spec, isNode }: Session,
  role: SpeakerConfig['role'],
): Pick<PeerConfig, 'importSafety'> {
  const usual = role === 'host' ? 'Enabled' : 'Disabled';
  const { mode = usual, defaultRoute } = spec.importSafety ?? {};
  if (mode === 'Disabled') return {};
  return { importSafety: { defaultRoute: defaultRoute === 'Accept', isNode } };
}

interface ClusterFacts {
  readonly nodeName: string;
  readonly pools: readonly IpPool[];
  readonly blocks: readonly Prefix[];
  readonly endpoints: readonly WorkloadEndpoint[];
  readonly lent: readonly Prefix[];
  readonly strictAffinity: boolean;
  readonly peers: readonly Pick<PeerConfig, 'importSafety'>[];
  readonly originate: readonly Prefix[];
}

/** What those checks need to know of the cluster; nothing where no peer is checked. */
export function clusterSafety(facts: ClusterFacts): Pick<SpeakerConfig, 'importSafety'> {
  const { peers, blocks, originate, pools, strictAffinity } = facts;
  if (!peers.some(({ importSafety }) => importSafety)) return {};
  const hidden = blocks.filter((block) => !originate.includes(block));
  return {
    importSafety: {
      ...(hidden.length > 0 && { own: hidden.toSorted(comparePrefixes) }),
      pools: pools
        .filter(({ spec }) => !spec.allowedUses.includes('LoadBalancer'))
        .map(({ spec: { cidr, blockSize } }) => ({
          prefix: cidr,
          blockLength: blockSize,
          takesHosts: !strictAffinity,
        }))
        .toSorted((a, b) => comparePrefixes(a.prefix, b.prefix)),
      lent: lentAddresses(facts),
    },
  };
}

/** Addresses of own blocks that other nodes hold: those have borrowed them, and offer them. */
function lentAddresses({ nodeName, blocks, endpoints, lent }: ClusterFacts): Prefix[] {
  const held = endpoints
    .filter(({ spec }) => spec.node !== nodeName)
    .flatMap(({ spec }) => spec.ipNetworks)
    .filter((network) => blocks.some((block) => contains(block, network)));
  return [...new Set([...lent, ...held])].toSorted(comparePrefixes);
}
