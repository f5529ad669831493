import type { NftElement, NftHook, NftSetSpec } from '@overland/linux';
import { WORKLOAD_LINK } from '@overland/net';
import { DENIED_GROUP } from '../../flows/denied-group.ts';
import type { HostLinks } from '../host-links.ts';
import type { SetId } from '../policy/active-rule.ts';
import type { RuleList } from '../policy/policy-view.ts';
import type { EndpointFilter, PolicyState, SetState } from '../policy-state.ts';
import { DENIED_CHAIN, ENDPOINT_MAPS, endpointChain, setName, type Version } from './names.ts';
import type { NftChainObject, NftObjects, NftSetObject } from './nft-objects.ts';
import { renderEndpoint } from './render-endpoint.ts';
import { IS_ESSENTIAL_ICMPV6 } from './render-failsafe.ts';
import {
  furtherSourcesChain,
  GUARD_CHAINS,
  GUARD_SETS,
  guardChains,
  guardElements,
} from './render-guard.ts';
import { closedHost, renderHost } from './render-host.ts';
import { connectionsChain, LIMIT_CHAINS, limitChains, limitRules } from './render-limits.ts';
import { renderNat } from './render-nat.ts';
import { renderRule, type SetNames } from './render-rule.ts';

type Named<T> = readonly (readonly [name: string, part: T])[];

const DIRECTIONS = ['egress', 'ingress'] as const;
const VERSIONS = [4, 6] as const;
const OWN = `"${WORKLOAD_LINK.namePrefix}*"`;

/** Denied packets that whoever listens is told of; without a listener the kernel tells nobody. */
const TOLD = '500/second burst 500 packets';

/** What is there whatever policies say: from the interface of a workload to its chain, and no way past it. */
export const BASE_CHAINS: Named<NftChainObject> = [
  [DENIED_CHAIN, { rules: [`limit rate ${TOLD} log group ${DENIED_GROUP}`, 'drop'] }],
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
  ...GUARD_CHAINS,
  ...LIMIT_CHAINS,
];

/** The sets and maps that {@link BASE_CHAINS} ask, without elements. */
export const BASE_SETS: Named<NftSetObject> = [
  ...DIRECTIONS.map((direction): Named<NftSetObject>[number] => [
    ENDPOINT_MAPS[direction],
    { key: ['ifname'], verdicts: true, elements: [] },
  ]),
  ...GUARD_SETS,
];

/** @param maySpoof Whether an endpoint may have source addresses besides its own. */
export function endpointChains(
  interfaceName: string,
  filter: EndpointFilter,
  maySpoof: boolean,
): Named<NftChainObject> {
  const policies = DIRECTIONS.map((direction): Named<NftChainObject>[number] => [
    endpointChain(direction, interfaceName),
    { rules: renderEndpoint(filter[direction], limitRules(interfaceName, direction, filter)) },
  ]);
  return [
    ...guardChains(interfaceName, filter, maySpoof),
    ...limitChains(interfaceName, filter),
    ...policies,
  ];
}

/** Names of all chains that an endpoint can have. */
export function endpointChainNames(interfaceName: string): string[] {
  return [
    furtherSourcesChain(interfaceName),
    ...DIRECTIONS.map((direction) => connectionsChain(interfaceName, direction)),
    ...DIRECTIONS.map((direction) => endpointChain(direction, interfaceName)),
  ];
}

/** What stands for an endpoint in {@link BASE_SETS}; all keys begin with its interface. */
export function endpointElements(
  interfaceName: string,
  filter: EndpointFilter,
  maySpoof: boolean,
): Named<NftElement> {
  const verdicts = DIRECTIONS.map((direction): Named<NftElement>[number] => [
    ENDPOINT_MAPS[direction],
    { key: interfaceName, verdict: `goto ${endpointChain(direction, interfaceName)}` },
  ]);
  return [...guardElements(interfaceName, filter, maySpoof), ...verdicts];
}

/** What is made of the host, or of all endpoints together. */
export const HOST_PARTS = ['host endpoints', 'address translation'] as const;
export type HostPart = (typeof HOST_PARTS)[number];

/** @param links By which host endpoints without an interface are found. */
export function hostPart(part: HostPart, state: PolicyState, links?: HostLinks): NftObjects {
  if (part === 'address translation') return renderNat(state);
  return state.host ? renderHost(state.host, links) : NOTHING;
}

/** What stands in for a part that the kernel does not take: a host keeps its failsafe ports, and nothing is translated. */
export function closedPart(part: HostPart, { host }: PolicyState, links?: HostLinks): NftObjects {
  return part === 'host endpoints' && host ? renderHost(closedHost(host), links) : NOTHING;
}

const NOTHING: NftObjects = { sets: new Map(), chains: new Map() };

/** The chain of a policy or profile. What is not there is closed. */
export function listRules({ name, rules, missing }: RuleList, setNames: SetNames): string[] {
  if (missing !== undefined) return CLOSED;
  // The label is for Log: the policy, and which of its rules.
  return rules.flatMap((rule, i) => renderRule(rule, `${name} ${i + 1}`, setNames));
}

/** Rules of a chain that lets nothing through. */
export const CLOSED = ['drop'];

/**
 * The sets of both IP versions that a set becomes.
 *
 * @param elements Its members; of `nets`, those that do not overlap.
 */
export function setParts(
  id: SetId,
  kind: SetState['kind'],
  elements: readonly string[],
): Named<NftSetObject> {
  return VERSIONS.map((version) => {
    const own = elements.filter((element) => isOfVersion(element, version));
    const set = {
      key: keyOf(version, kind),
      interval: kind === 'nets',
      elements: own.map((key) => ({ key })),
    };
    return [setName(id, kind, version), set] as const;
  });
}

/** A member's text begins with its address. */
export function isOfVersion(member: string, version: Version): boolean {
  return member.includes(':') === (version === 6);
}

function keyOf(version: Version, kind: SetState['kind']): NftSetSpec['key'] {
  const address = `ipv${version}_addr` as const;
  return kind === 'ports' ? [address, 'inet_proto', 'inet_service'] : [address];
}

function filterHook(hook: 'input' | 'forward'): NftHook {
  return { type: 'filter', hook, priority: 0, policy: 'accept' };
}
