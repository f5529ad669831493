/** One route as the model keeps it. */
export interface NaiveRoute {
  readonly attributes: NaiveAttributes;
  stale: boolean;
}

export interface NaiveAttributes {
  readonly asPath: readonly number[];
  readonly origin: 0 | 1 | 2;
  readonly med?: number;
  readonly localPref?: number;
  readonly communities?: readonly number[];
  readonly originatorId?: number;
  readonly clusterList?: readonly number[];
}

export interface NaivePeer {
  readonly name: string;
  readonly ebgp: boolean;
  readonly routerId: number;
  /** Higher address, higher number. */
  readonly addressRank: number;
  readonly nextHop: string;
  readonly device: string;
  up: boolean;
  /** What is stale of its routes is a last choice. */
  longLived: boolean;
  allowAsIn: number;
  /** Of this route reflector. */
  isClient: boolean;
  /** What the import policy makes of a route; `undefined`: it refuses it. */
  accept: (prefix: string, attributes: NaiveAttributes) => NaiveAttributes | undefined;
  readonly routes: Map<string, NaiveRoute>;
}

export interface NaiveRules {
  readonly asn: number;
  maxPaths: number;
  relaxAsPath: boolean;
  readonly routerId: number;
  clusterId: number;
  clientToClient: boolean;
  /** Devices that are down. */
  readonly dead: Set<string>;
}

/** Whether a route has been here. RFC 4271 section 9.1.2, RFC 4456 section 8. */
function isLoop(attributes: NaiveAttributes, peer: NaivePeer, rules: NaiveRules): boolean {
  const own = attributes.asPath.filter((asn) => asn === rules.asn).length;
  if (own > peer.allowAsIn || attributes.originatorId === rules.routerId) return true;
  return (attributes.clusterList ?? []).includes(rules.clusterId);
}

/** Whether a route goes to an iBGP peer. RFC 4271 section 9.2, RFC 4456 section 6. */
export function isForInternal(from: NaivePeer, toClient: boolean, rules: NaiveRules): boolean {
  if (from.ebgp) return true;
  if (from.isClient && toClient) return rules.clientToClient;
  return from.isClient || toClient;
}

interface Candidate {
  readonly peer: NaivePeer;
  /** As accepted. */
  readonly route: { readonly attributes: NaiveAttributes };
}

const GRACEFUL_SHUTDOWN = 0xffff_0000;
const LLGR_STALE = 0xffff_0006;
const NO_LLGR = 0xffff_0007;

/** Whether a route is kept from a session that is long over. RFC 9494. */
export function isLongLived({ communities }: NaiveAttributes): boolean {
  return communities?.includes(LLGR_STALE) ?? false;
}

/** What import policy makes of a route, and of one whose peer is long gone; `undefined`: it refuses it. */
export function naiveTreatment(
  peer: NaivePeer,
  prefix: string,
  { attributes, stale }: NaiveRoute,
): NaiveAttributes | undefined {
  const accepted = peer.accept(prefix, attributes);
  if (!accepted || !stale || !peer.longLived) return accepted;
  const communities = accepted.communities ?? [];
  if (communities.includes(NO_LLGR)) return undefined;
  return { ...accepted, communities: [...communities, LLGR_STALE] };
}

/** A route as it is accepted; `undefined`: import rules refuse it. */
export function naiveImport(
  peer: NaivePeer,
  prefix: string,
  route: NaiveRoute,
  rules: NaiveRules,
): NaiveAttributes | undefined {
  if (isLoop(route.attributes, peer, rules)) return undefined;
  const accepted = naiveTreatment(peer, prefix, route);
  const isLeaving = peer.ebgp && accepted?.communities?.includes(GRACEFUL_SHUTDOWN);
  return accepted && isLeaving ? { ...accepted, localPref: 0 } : accepted;
}

/** The decision process, read off RFC 4271 section 9.1 for one prefix at a time, from scratch. Best first. */
export function naiveDecision(
  peers: readonly NaivePeer[],
  prefix: string,
  rules: NaiveRules,
): Candidate[] {
  const eligible = peers.flatMap((peer) => {
    const route = peer.routes.get(prefix);
    if (!route || rules.dead.has(peer.device)) return [];
    const attributes = naiveImport(peer, prefix, route, rules);
    return attributes ? [{ peer, route: { attributes } }] : [];
  });
  const lowest = (from: Candidate[], value: (candidate: Candidate) => number): Candidate[] => {
    const least = Math.min(...from.map(value));
    return from.filter((candidate) => value(candidate) === least);
  };
  let left = lowest(eligible, ({ route }) => (isLongLived(route.attributes) ? 1 : 0));
  left = lowest(left, ({ route }) => -(route.attributes.localPref ?? 100));
  left = lowest(left, ({ route }) => route.attributes.asPath.length);
  left = lowest(left, ({ route }) => route.attributes.origin);
  left = left.filter(
    (candidate) =>
      !left.some(
        (other) =>
          other.route.attributes.asPath[0] === candidate.route.attributes.asPath[0] &&
          (other.route.attributes.med ?? 0) < (candidate.route.attributes.med ?? 0),
      ),
  );
  left = lowest(left, ({ peer }) => (peer.ebgp ? 0 : 1));
  const originator = ({ peer, route }: Candidate) => route.attributes.originatorId ?? peer.routerId;
  const clusters = ({ route }: Candidate) => route.attributes.clusterList?.length ?? 0;
  const ordered = left.toSorted(
    (a, b) =>
      originator(a) - originator(b) ||
      clusters(a) - clusters(b) ||
      a.peer.addressRank - b.peer.addressRank,
  );
  const [best] = ordered;
  if (!best) return [];
  const path = best.route.attributes.asPath.join(' ');
  return ordered
    .filter(({ route }) => rules.relaxAsPath || route.attributes.asPath.join(' ') === path)
    .slice(0, rules.maxPaths);
}
