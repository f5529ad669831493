import type { NftHook, NftSetSpec } from '@overland/linux';
import { WORKLOAD_LINK } from '@overland/net';
import type { HostLinks } from '../host-links.ts';
import type { SetId } from '../policy/active-rule.ts';
import type { RuleList } from '../policy/policy-view.ts';
import type { EndpointFilter, PolicyState, SetState } from '../policy-state.ts';
import { disjoint } from './disjoint.ts';
import { ENDPOINT_MAPS, endpointChain, setName, type Version } from './names.ts';
import type { NftChainObject, NftObjects, NftSetObject } from './nft-objects.ts';
import { renderEndpoint } from './render-endpoint.ts';
import { IS_ESSENTIAL_ICMPV6 } from './render-failsafe.ts';
import { renderGuard } from './render-guard.ts';
import { renderHost } from './render-host.ts';
import { limitRules, renderLimits } from './render-limits.ts';
import { renderNat } from './render-nat.ts';
import { renderRule, type SetNames } from './render-rule.ts';

type Named<T> = readonly (readonly [name: string, part: T])[];

const DIRECTIONS = ['egress', 'ingress'] as const;
const VERSIONS = [4, 6] as const;
const OWN = `"${WORKLOAD_LINK.namePrefix}*"`;

/** What is there whatever policies say: from the interface of a workload to its chain, and no way past it. */
export const BASE_CHAINS: Named<NftChainObject> = [
  ['from-workload', { rules: [`iifname vmap @${ENDPOINT_MAPS.egress}`, 'drop'] }],
  ['to-workload', { rules: [`oifname vmap @${ENDPOINT_MAPS.ingress}`, 'drop'] }],
  [
    'input',
    {
      hook: filterHook('input'),
      rules: [`iifname != ${OWN} return`, `${IS_ESSENTIAL_ICMPV6} return`, 'jump from-workload'],
    },
  ],
  [
    'forward',
    {
      hook: filterHook('forward'),
      rules: [`iifname ${OWN} jump from-workload`, `oifname ${OWN} jump to-workload`],
    },
  ],
];

/** The maps that {@link BASE_CHAINS} ask, without elements. */
export const BASE_MAPS: Named<NftSetObject> = DIRECTIONS.map((direction) => [
  ENDPOINT_MAPS[direction],
  { key: ['ifname'], verdicts: true, elements: [] },
]);

/** The chains of an endpoint, one for each direction. */
export function endpointChains(
  interfaceName: string,
  filter: EndpointFilter,
): Named<NftChainObject> {
  return DIRECTIONS.map((direction) => [
    endpointChain(direction, interfaceName),
    {
      rules: renderEndpoint(filter[direction], limitRules(interfaceName, direction, filter)),
    },
  ]);
}

/**
 * What is made of all endpoints together, and of the host itself.
 *
 * @param links By which host endpoints without an interface are found.
 */
export function commonParts(state: PolicyState, links?: HostLinks): NftObjects {
  const parts = [
    { sets: [], chains: renderLimits(state) },
    renderGuard(state),
    renderNat(state),
    ...(state.host ? [renderHost(state.host, links)] : []),
  ];
  return {
    sets: new Map(parts.flatMap(({ sets }) => [...sets])),
    chains: new Map(parts.flatMap(({ chains }) => [...chains])),
  };
}

/** Where the maps lead for an interface: the map, and its verdict. */
export function endpointVerdicts(interfaceName: string): Named<string> {
  return DIRECTIONS.map((direction) => [
    ENDPOINT_MAPS[direction],
    `goto ${endpointChain(direction, interfaceName)}`,
  ]);
}

/** The chain of a policy or profile. What is not there is closed. */
export function listRules({ name, rules, missing }: RuleList, setNames: SetNames): string[] {
  if (missing !== undefined) return CLOSED;
  // The label is for Log: the policy, and which of its rules.
  return rules.flatMap((rule, i) => renderRule(rule, `${name} ${i + 1}`, setNames));
}

/** Rules of a chain that lets nothing through. */
export const CLOSED = ['drop'];

/** The sets of both IP versions that a set becomes. */
export function setParts(id: SetId, { kind, members }: SetState): Named<NftSetObject> {
  return VERSIONS.map((version) => {
    const own = [...members].filter((member) => isOfVersion(member, version));
    const elements = kind === 'nets' ? disjoint(own) : own;
    const set = {
      key: keyOf(version, kind),
      interval: kind === 'nets',
      elements: elements.map((key) => ({ key })),
    };
    return [setName(id, kind, version), set] as const;
  });
}

/** A member's text begins with its address. */
function isOfVersion(member: string, version: Version): boolean {
  return member.includes(':') === (version === 6);
}

function keyOf(version: Version, kind: SetState['kind']): NftSetSpec['key'] {
  const address = `ipv${version}_addr` as const;
  return kind === 'ports' ? [address, 'inet_proto', 'inet_service'] : [address];
}

function filterHook(hook: 'input' | 'forward'): NftHook {
  return { type: 'filter', hook, priority: 0, policy: 'accept' };
}
