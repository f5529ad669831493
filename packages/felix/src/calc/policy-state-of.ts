import { isHostPrefix, networkAddress } from '@overland/net';
import type { HostFilter } from './host-filter.ts';
import { hostFilterOf, type Refer } from './host-filter-of.ts';
import { isWorkloadInterface } from './interface-name.ts';
import type { SetId } from './policy/active-rule.ts';
import type { AddressSets, SetMember } from './policy/address-sets.ts';
import type { PolicyEndpoint } from './policy/endpoint.ts';
import type {
  Direction,
  EndpointPolicy,
  PolicyHook,
  PolicyView,
  RuleList,
} from './policy/policy-view.ts';
import {
  type EndpointFilter,
  type EndpointPolicyRef,
  type ListId,
  listIdOf,
  type PolicyState,
  type SetState,
  setsOf,
} from './policy-state.ts';
import { netMember, portMember } from './set-member.ts';

/** Calculates what the packet filter of a node should hold, from scratch. */
export function policyStateOf(view: PolicyView, node: string): PolicyState {
  return policyStateOfEndpoints(
    view,
    view.endpoints.filter((endpoint) => endpoint.node === node),
    node,
  );
}

/**
 * Calculates what a packet filter should hold for these endpoints and no others.
 *
 * @param endpoints Those without an interface of a workload are left out; of two with one interface, the first by name stays.
 * @param node Whose own filter is calculated, too; absent: none.
 */
export function policyStateOfEndpoints(
  view: PolicyView,
  endpoints: readonly PolicyEndpoint[],
  node?: string,
): PolicyState {
  const lists = new Map<ListId, RuleList>();
  const refer = (endpoint: PolicyEndpoint, direction: Direction, hook?: PolicyHook) =>
    policyRefOf(view.policyOf(endpoint, direction, hook), direction, lists);
  const filters = new Map<string, EndpointFilter>();
  for (const endpoint of endpoints.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const { kind, interfaceName = '' } = endpoint;
    if (kind !== 'workload' || !isWorkloadInterface(interfaceName) || filters.has(interfaceName)) {
      continue;
    }
    const [ingress, egress] = [refer(endpoint, 'ingress'), refer(endpoint, 'egress')];
    filters.set(interfaceName, endpointFilterOf(endpoint, { ingress, egress }));
  }
  const host = node === undefined ? undefined : hostFilterOfView(view, node, refer);
  const ids = new Set<SetId>([...lists.values()].flatMap(setsOf));
  const sets = new Map(Array.from(ids, (id) => [id, setStateOf(id, view.sets)]));
  return { sets, lists, endpoints: filters, ...(host ? { host } : {}) };
}

function hostFilterOfView(view: PolicyView, node: string, refer: Refer): HostFilter {
  const own = view.endpoints.filter((each) => each.kind === 'host' && each.node === node);
  const rules = { ...view.hostRulesOf(node), outgoingNat: view.outgoingNatOf(node) };
  return hostFilterOf(rules, own, refer);
}

/** @param policy What decides about its traffic. */
export function endpointFilterOf(
  { name, addresses, guard }: PolicyEndpoint,
  { ingress, egress }: Readonly<Record<Direction, EndpointPolicyRef>>,
): EndpointFilter {
  return { name, addresses, ingress, egress, guard };
}

function policyRefOf(
  { tiers, profiles }: EndpointPolicy,
  direction: Direction,
  lists: Map<ListId, RuleList>,
): EndpointPolicyRef {
  const refer = (list: RuleList): ListId => {
    const id = listIdOf(direction, list);
    lists.set(id, list);
    return id;
  };
  return {
    tiers: tiers.map(({ name, defaultAction, policies }) => ({
      name,
      defaultAction,
      lists: policies.map(refer),
    })),
    profiles: profiles.map(refer),
  };
}

function setStateOf(id: SetId, sets: AddressSets): SetState {
  const members = sets.members(id);
  if (sets.definition(id).portName !== undefined) {
    return { kind: 'ports', members: new Set(members.map(portText)) };
  }
  const kind = members.every(({ net }) => isHostPrefix(net)) ? 'addresses' : 'nets';
  return { kind, members: new Set(members.map(({ net }) => netMember(net))) };
}

function portText({ net, protocol = 0, port = 0 }: SetMember): string {
  return portMember(networkAddress(net), protocol, port);
}
