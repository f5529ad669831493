import { expect } from 'vitest';
import { ASN, identifier, LINK, PREFIXES, type World } from './model-world.ts';
import {
  isForInternal,
  isLongLived,
  type NaiveAttributes,
  type NaivePeer,
  type NaiveRoute,
  naiveDecision,
  naiveImport,
  naiveTreatment,
} from './naive-rib.ts';

/** What the engine says, against what the model says. */
export function compare(world: World): void {
  compareCounters(world);
  const chosen = PREFIXES[world.family].map((prefix) => ({
    prefix,
    paths: naiveDecision(world.peers, prefix, world.rules),
  }));
  const expected = chosen
    .filter(({ paths }) => paths.length > 0)
    .map(({ prefix, paths }) => [prefix, ...paths.map(({ peer }) => peer.name)]);
  const actual = world.dut
    .routes(world.family)
    .map(({ prefix, paths }) => [
      prefix,
      ...paths.filter(({ best, multipath }) => best || multipath).map(({ peer }) => peer),
    ])
    .filter(([, ...peers]) => peers.length > 0);
  expect(actual).toEqual(expected);

  const paths = world.dut
    .routes(world.family)
    .flatMap((route) =>
      route.paths.map(({ peer, asPath, stale }) =>
        [route.prefix, peer, stale ? 'stale' : 'fresh', ...asPath].join(' '),
      ),
    );
  const known = world.peers.flatMap((peer) =>
    [...peer.routes].map(([prefix, route]) => {
      const { attributes, stale } = route;
      // A loop is shown with what filters would change, too.
      const { asPath } = naiveTreatment(peer, prefix, route) ?? attributes;
      return [prefix, peer.name, stale ? 'stale' : 'fresh', ...asPath].join(' ');
    }),
  );
  expect(paths.sort()).toEqual(known.sort());

  const kernel = chosen
    .filter(({ paths }) => paths.length > 0)
    .map(({ prefix, paths }) => [
      prefix,
      paths
        .map(({ peer }) => `${world.nextHop(peer)}@${peer.device}`)
        .sort()
        .join(' '),
    ]);
  expect([...world.dut.kernel.routes].sort()).toEqual(kernel.sort());

  if (!world.receives) return;
  const received = chosen.flatMap(({ prefix, paths: [best] }) => {
    if (world.receiverHasDefault && prefix === PREFIXES[world.family][0]) {
      const [asPath, localPref] = world.receiverAsn === ASN ? [[], 100] : [[ASN], null];
      const via = LINK[world.family].own;
      return [[prefix, 'via', via, ...asPath, 'by nobody', null, localPref].join(' ')];
    }
    if (!best) return [];
    return told(world, best.peer, prefix, best.route.attributes).map((text) => `${prefix} ${text}`);
  });
  const held = world.receiver
    .routes(world.family)
    .flatMap(({ prefix, paths }) =>
      paths.map(({ nextHop, asPath, originatorId, clusterList, med, localPref }) =>
        [
          ...[prefix, 'via', nextHop, ...asPath],
          ...['by', originatorId ?? 'nobody', ...clusterList, med, localPref],
        ].join(' '),
      ),
    );
  expect(held).toEqual(received);
}

/**
 * What the receiver should have of a route: next hop, AS_PATH, ORIGINATOR_ID, CLUSTER_LIST, MED and LOCAL_PREF; or
 * nothing.
 */
function told(
  world: World,
  from: NaivePeer,
  prefix: string,
  attributes: NaiveAttributes,
): string[] {
  const { originatorId = from.routerId, clusterList = [] } = attributes;
  const isLastChoice = isLongLived(attributes) && !world.receiverTakesStale;
  const unchanged = `via ${world.nextHop(from)}`;
  if (world.receiverAsn !== ASN) {
    if (isLastChoice || attributes.communities?.includes(0xffff_ff01)) return [];
    // A MED does not go on to another AS, unless a filter sets it.
    const { med: _, ...others } = attributes;
    const sent = world.exports.apply(prefix, others);
    const via = from.addressRank === 1 ? unchanged : `via ${LINK[world.family].own}`;
    // The receiver in turn makes what we are about to stop serving the last choice.
    const localPref = sent?.communities?.includes(0xffff_0000) ? 0 : null;
    return sent ? [[via, ASN, ...sent.asPath, 'by nobody', sent.med, localPref].join(' ')] : [];
  }
  const sent = world.exports.apply(prefix, attributes);
  if (!sent || !isForInternal(from, world.receiverIsClient, world.rules)) return [];
  const reflected = [originatorId, world.rules.clusterId, ...clusterList].map(identifier);
  const by = from.ebgp ? ['nobody'] : reflected;
  const localPref = isLastChoice ? 0 : (sent.localPref ?? 100);
  return [[unchanged, ...sent.asPath, 'by', ...by, sent.med, localPref].join(' ')];
}

function accepted(world: World, peer: NaivePeer, prefix: string, route: NaiveRoute) {
  return naiveImport(peer, prefix, route, world.rules);
}

function compareCounters(world: World): void {
  for (const peer of world.peers) {
    const routes = [...peer.routes]
      .filter(([prefix, route]) => accepted(world, peer, prefix, route))
      .map(([, route]) => route);
    expect(world.dut.engine.counters(peer.addressRank)).toMatchObject({
      received: { [world.family]: routes.length },
      stale: { [world.family]: routes.filter(({ stale }) => stale).length },
      filtered: { [world.family]: peer.routes.size - routes.length },
    });
  }
}
