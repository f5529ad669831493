import type { Community, FilterRule, RouteFilter } from '@overland/bgp';
import { type BgpConfiguration, isCommunity } from '@overland/model';
import { contains, type Family, familyOf, type Prefix, prefixLength } from '@overland/net';
import type { ClusterSettings } from './cluster.ts';
import type { Report } from './diagnostics.ts';

type Settings = Partial<BgpConfiguration['spec']>;

/**
 * What puts communities on the node's own routes, by prefix: a filter for each family, behind those that BGPPeers name.
 * Routes of others keep what their nodes have put on them.
 *
 * The first rule that holds decides, so the narrowest prefix is first and has the communities of those around it, too.
 * To accept an own route changes nothing: it is offered anyway.
 */
export function advertisedCommunities(
  settings: ClusterSettings,
  nodeName: string,
  report: Report,
): ReadonlyMap<Family, RouteFilter> {
  const own = settings.ofNode(nodeName);
  const [object, spec] = own.prefixAdvertisements
    ? [`node.${nodeName}`, own]
    : ['default', settings.cluster];
  const advertised = communitiesByPrefix(spec, (reason) =>
    report(`BGPConfiguration ${object}`, reason),
  );
  const filters = new Map<Family, RouteFilter>();
  for (const family of ['ipv4', 'ipv6'] as const) {
    const rules = [...advertised.keys()]
      .filter((prefix) => familyOf(prefix) === family)
      .toSorted((a, b) => prefixLength(b) - prefixLength(a) || (a < b ? -1 : 1))
      .flatMap((prefix) => ruleOf(prefix, advertised));
    const name = `prefixAdvertisements/${family}`;
    if (rules.length > 0) filters.set(family, { name, rules });
  }
  return filters;
}

/** Names are those of the object itself. */
function communitiesByPrefix(
  { communities = [], prefixAdvertisements = [] }: Settings,
  report: (reason: string) => void,
): ReadonlyMap<Prefix, readonly Community[]> {
  const named = new Map(communities.map(({ name, value }) => [name, value]));
  const byPrefix = new Map<Prefix, readonly Community[]>();
  for (const { cidr, communities: given = [] } of prefixAdvertisements) {
    const values = given.map((text) => named.get(text) ?? text);
    for (const text of values.filter((value) => !isCommunity(value))) {
      report(`prefixAdvertisements: ${text} is neither a community nor the name of one`);
    }
    byPrefix.set(cidr, [...(byPrefix.get(cidr) ?? []), ...values.filter(isCommunity)]);
  }
  return byPrefix;
}

function ruleOf(prefix: Prefix, all: ReadonlyMap<Prefix, readonly Community[]>): FilterRule[] {
  const add = new Set(
    [...all].flatMap(([other, values]) => (contains(other, prefix) ? values : [])),
  );
  if (add.size === 0) return [];
  return [
    {
      family: familyOf(prefix),
      match: { prefix: { prefix, operator: 'in' }, isLearned: false },
      action: 'accept',
      set: { communities: { add: [...add].toSorted() } },
    },
  ];
}
