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
  allowAsIn: number;
  readonly routes: Map<string, NaiveRoute>;
}

export interface NaiveRules {
  readonly asn: number;
  maxPaths: number;
  relaxAsPath: boolean;
  /** Devices that are down. */
  readonly dead: Set<string>;
}

interface Candidate {
  readonly peer: NaivePeer;
  readonly route: NaiveRoute;
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
    const own = route.attributes.asPath.filter((asn) => asn === rules.asn).length;
    return own > peer.allowAsIn ? [] : [{ peer, route }];
  });
  const lowest = (from: Candidate[], value: (candidate: Candidate) => number): Candidate[] => {
    const least = Math.min(...from.map(value));
    return from.filter((candidate) => value(candidate) === least);
  };
  let left = lowest(eligible, ({ route }) => -(route.attributes.localPref ?? 100));
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
  const ordered = left.toSorted(
    (a, b) => a.peer.routerId - b.peer.routerId || a.peer.addressRank - b.peer.addressRank,
  );
  const [best] = ordered;
  if (!best) return [];
  const path = best.route.attributes.asPath.join(' ');
  return ordered
    .filter(({ route }) => rules.relaxAsPath || route.attributes.asPath.join(' ') === path)
    .slice(0, rules.maxPaths);
}
