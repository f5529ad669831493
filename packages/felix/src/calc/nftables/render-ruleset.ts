import { WORKLOAD_LINK } from '@overland/net';
import type { SetId } from '../policy/active-rule.ts';
import type { Direction, RuleList } from '../policy/policy-view.ts';
import type { PolicyState, SetState } from '../policy-state.ts';
import { endpointChain, listChain, setName, type Version } from './names.ts';
import { block, objectsText } from './nft-objects.ts';
import { renderEndpoint } from './render-endpoint.ts';
import { IS_ESSENTIAL_ICMPV6 } from './render-failsafe.ts';
import { renderGuard } from './render-guard.ts';
import { type HostLinks, renderHost } from './render-host.ts';
import { limitRules, renderLimits } from './render-limits.ts';
import { renderNat } from './render-nat.ts';
import { renderRule } from './render-rule.ts';

const TABLE = 'inet overland-policy';

interface Chain {
  readonly name: string;
  readonly lines: readonly string[];
}

/**
 * The table that enforces a state, as a file for `nft -f`: sets, then chains that use them, then the maps that lead to
 * those. Of interfaces of workloads that it does not know nothing passes.
 *
 * @param links By which host endpoints without an interface are found.
 */
export function renderRuleset(state: PolicyState, links?: HostLinks): string {
  const { sets, lists, endpoints, host } = state;
  const chains: Chain[] = [...lists].flatMap(([id, list]) =>
    list.missing === undefined ? [{ name: listChain(id), lines: renderList(list) }] : [],
  );
  const elements: Record<Direction, string[]> = { ingress: [], egress: [] };
  for (const [interfaceName, filter] of endpoints) {
    for (const direction of ['ingress', 'egress'] as const) {
      const name = endpointChain(direction, interfaceName);
      const limits = limitRules(interfaceName, direction, filter);
      chains.push({ name, lines: renderEndpoint(filter[direction], lists, limits) });
      elements[direction].push(`"${interfaceName}" : goto ${name}`);
    }
  }
  const parts = [
    ...[...sets.keys()].toSorted().flatMap((id) => renderSet(id, sets.get(id))),
    ...chains.flatMap(({ name, lines }) => block(`chain ${name}`, lines)),
    ...(['egress', 'ingress'] as const).flatMap((direction) =>
      block(`map ${MAPS[direction]}`, [
        'type ifname : verdict',
        ...elementsOf(elements[direction]),
      ]),
    ),
    ...BASE,
    ...objectsText({ sets: new Map(), chains: renderLimits(state) }),
    ...objectsText(renderGuard(state)),
    ...objectsText(renderNat(state)),
    ...(host ? objectsText(renderHost(host, lists, links)) : []),
  ];
  // Made new in one transaction, also where it is not there yet.
  return [`table ${TABLE}`, `delete table ${TABLE}`, ...block(`table ${TABLE}`, parts), ''].join(
    '\n',
  );
}

const MAPS = { egress: 'from-workloads', ingress: 'to-workloads' } as const;

const OWN = `"${WORKLOAD_LINK.namePrefix}*"`;
const BASE = [
  ...block('chain from-workload', [`iifname vmap @${MAPS.egress}`, 'drop']),
  ...block('chain to-workload', [`oifname vmap @${MAPS.ingress}`, 'drop']),
  ...block('chain input', [
    'type filter hook input priority filter; policy accept;',
    `iifname != ${OWN} return`,
    `${IS_ESSENTIAL_ICMPV6} return`,
    'jump from-workload',
  ]),
  ...block('chain forward', [
    'type filter hook forward priority filter; policy accept;',
    `iifname ${OWN} jump from-workload`,
    `oifname ${OWN} jump to-workload`,
  ]),
];

/** Labels are for Log: the policy, and which of its rules. */
function renderList({ name, rules }: RuleList): string[] {
  return rules.flatMap((rule, i) => renderRule(rule, `${name} ${i + 1}`));
}

function renderSet(id: SetId, { kind, members }: SetState = NO_SET): string[] {
  return ([4, 6] as const).flatMap((version) => {
    const own = [...members].filter((member) => isOfVersion(member, version));
    return block(`set ${setName(id, version)}`, [
      `type ${typeOf(version, kind)}`,
      ...(kind === 'nets' ? ['flags interval', 'auto-merge'] : []),
      ...elementsOf(own.toSorted()),
    ]);
  });
}

const NO_SET: SetState = { kind: 'addresses', members: new Set() };

/** A member's text begins with its address. */
function isOfVersion(member: string, version: Version): boolean {
  return member.includes(':') === (version === 6);
}

function typeOf(version: Version, kind: SetState['kind']): string {
  return `ipv${version}_addr${kind === 'ports' ? ' . inet_proto . inet_service' : ''}`;
}

function elementsOf(elements: readonly string[]): string[] {
  return elements.length === 0 ? [] : [`elements = { ${elements.join(', ')} }`];
}
