import type { HostEndpointFilter, HostFilter, HostPlacePolicy } from './host-filter.ts';
import type { PolicyEndpoint } from './policy/endpoint.ts';
import type { Direction, PolicyHook } from './policy/policy-view.ts';
import type { EndpointPolicyRef } from './policy-state.ts';

/** All places at which policies of a host endpoint can be asked. Nothing goes out before DNAT. */
const PLACES: readonly (readonly [PolicyHook, Direction])[] = [
  ['untracked', 'ingress'],
  ['preDNAT', 'ingress'],
  ['normal', 'ingress'],
  ['forward', 'ingress'],
  ['forward', 'egress'],
  ['untracked', 'egress'],
  ['normal', 'egress'],
];

/** Names what decides about an endpoint's traffic at a place. */
export type Refer = (
  endpoint: PolicyEndpoint,
  direction: Direction,
  hook: PolicyHook,
) => EndpointPolicyRef;

/** What holds on a node itself. @param endpoints The host endpoints of the node, in any order. */
export function hostFilterOf(
  rules: Omit<HostFilter, 'endpoints'>,
  endpoints: readonly PolicyEndpoint[],
  refer: Refer,
): HostFilter {
  const ordered = endpoints.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return { ...rules, endpoints: ordered.map((endpoint) => endpointFilterOf(endpoint, refer)) };
}

function endpointFilterOf(endpoint: PolicyEndpoint, refer: Refer): HostEndpointFilter {
  const { name, interfaceName, addresses } = endpoint;
  const places = PLACES.filter(
    // As in Calico: packets of all interfaces together are always tracked.
    ([hook]) => hook !== 'untracked' || interfaceName !== '*',
  )
    .map(([hook, direction]): HostPlacePolicy => {
      return { hook, direction, policy: refer(endpoint, direction, hook) };
    })
    .filter(({ hook, policy }) => hook === 'normal' || policy.tiers.length > 0);
  return { name, interfaceName: interfaceName || undefined, addresses, places };
}
