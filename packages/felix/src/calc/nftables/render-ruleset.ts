import { familyOf, networkAddress, WORKLOAD_LINK } from '@overland/net';
import type { ActiveRule, SetId } from '../policy/active-rule.ts';
import type { AddressSets, SetMember } from '../policy/address-sets.ts';
import type { PolicyEndpoint } from '../policy/endpoint.ts';
import type { Direction, PolicyView, RuleList } from '../policy/policy-view.ts';
import { endpointChain, listChain, setName, type Version } from './names.ts';
import { renderEndpoint } from './render-endpoint.ts';
import { renderRule } from './render-rule.ts';

const TABLE = 'inet overland-policy';

interface Chain {
  readonly name: string;
  readonly lines: readonly string[];
}

/**
 * The table that enforces what policies say of these workload endpoints, as a file for `nft -f`: sets, then chains that
 * use them, then the maps that lead to those. Of interfaces of workloads that it does not know nothing passes.
 *
 * @param endpoints With an interface each; others are left out.
 */
export function renderRuleset(view: PolicyView, endpoints: readonly PolicyEndpoint[]): string {
  const lists = new Map<string, Chain>();
  const ids = new Set<SetId>();
  const endpointChains: Chain[] = [];
  const elements: Record<Direction, string[]> = { ingress: [], egress: [] };
  for (const endpoint of endpoints) {
    const { interfaceName } = endpoint;
    if (interfaceName === undefined) continue;
    for (const direction of ['ingress', 'egress'] as const) {
      const policy = view.policyOf(endpoint, direction);
      for (const list of [
        ...policy.tiers.flatMap(({ policies }) => policies),
        ...policy.profiles,
      ]) {
        if (list.missing !== undefined) continue;
        const name = listChain(direction, list.name);
        lists.set(name, { name, lines: renderList(list) });
        for (const id of list.rules.flatMap(setsOf)) ids.add(id);
      }
      const name = endpointChain(direction, interfaceName);
      endpointChains.push({ name, lines: renderEndpoint(policy, direction) });
      elements[direction].push(`"${interfaceName}" : goto ${name}`);
    }
  }
  const parts = [
    ...[...ids].toSorted().flatMap((id) => renderSet(id, view.sets)),
    ...[...lists.values(), ...endpointChains].flatMap(({ name, lines }) =>
      block(`chain ${name}`, lines),
    ),
    ...(['egress', 'ingress'] as const).flatMap((direction) =>
      block(`map ${MAPS[direction]}`, [
        'type ifname : verdict',
        ...elementsOf(elements[direction]),
      ]),
    ),
    ...BASE,
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

function setsOf({ source, destination }: ActiveRule): SetId[] {
  return [source, destination].flatMap(({ sets, notSets, ports, notPorts }) => [
    ...sets,
    ...notSets,
    ...(ports?.sets ?? []),
    ...(notPorts?.sets ?? []),
  ]);
}

function renderSet(id: SetId, sets: AddressSets): string[] {
  const isOfPorts = sets.definition(id).portName !== undefined;
  return ([4, 6] as const).flatMap((version) => {
    const members = sets
      .members(id)
      .filter(({ net }) => familyOf(net) === `ipv${version}`)
      .map((member) => (isOfPorts ? portText(member) : member.net));
    return block(`set ${setName(id, version)}`, [
      `type ${typeOf(version, isOfPorts)}`,
      ...(isOfPorts ? [] : ['flags interval', 'auto-merge']),
      ...elementsOf([...new Set(members)].toSorted()),
    ]);
  });
}

function typeOf(version: Version, isOfPorts: boolean): string {
  return `ipv${version}_addr${isOfPorts ? ' . inet_proto . inet_service' : ''}`;
}

function portText({ net, protocol, port }: SetMember): string {
  return `${networkAddress(net)} . ${protocol} . ${port}`;
}

function elementsOf(elements: readonly string[]): string[] {
  return elements.length === 0 ? [] : [`elements = { ${elements.join(', ')} }`];
}

/** Lines of a block in braces. */
function block(head: string, lines: readonly string[]): string[] {
  return [`${head} {`, ...lines.map((line) => `\t${line}`), '}'];
}
