import type { IpAddress } from '@overland/net';
import type { HostFilter, HostPlacePolicy } from './host-filter.ts';
import { hostEndpointOn } from './policy/host-endpoint-on.ts';

/** Addresses of the host's interfaces, by name: endpoints without an interface are found by them. */
export type HostLinks = ReadonlyMap<string, readonly IpAddress[]>;

/** Stands for the interfaces that no endpoint has for its own. */
export const EVERY = '*';

/** What is asked about packets of each interface, and of every other one. */
export function policiesByLink(
  { endpoints }: HostFilter,
  links: HostLinks,
): Map<string, readonly HostPlacePolicy[]> {
  const named = endpoints.flatMap(({ interfaceName }) => interfaceName ?? []);
  const found = new Map<string, readonly HostPlacePolicy[]>();
  for (const interfaceName of new Set([...named, ...links.keys()])) {
    const addresses = links.get(interfaceName) ?? [];
    const name = hostEndpointOn(endpoints, { interfaceName, addresses });
    const endpoint = endpoints.find((one) => one.name === name);
    if (endpoint && endpoint.interfaceName !== EVERY) found.set(interfaceName, endpoint.places);
  }
  const every = endpoints.find(({ interfaceName }) => interfaceName === EVERY);
  if (every) found.set(EVERY, every.places);
  return found;
}

/** What is asked at a place; `undefined`: nobody asks there. */
export function policyAt(
  { hook, direction }: Pick<HostPlacePolicy, 'hook' | 'direction'>,
  policies: readonly HostPlacePolicy[],
): HostPlacePolicy | undefined {
  return policies.find((one) => one.hook === hook && one.direction === direction);
}
