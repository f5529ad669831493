import type { IpAddress } from '@overland/net';
import type { PolicyEndpoint } from './endpoint.ts';

/**
 * The host endpoint that speaks for an interface: the first by name that has its name or one of its addresses, else the
 * first for all of them.
 *
 * @param endpoints All of the host.
 */
export function hostEndpointOn(
  endpoints: readonly Pick<PolicyEndpoint, 'name' | 'interfaceName' | 'addresses'>[],
  link: { readonly interfaceName: string; readonly addresses: readonly IpAddress[] },
): string | undefined {
  const byName = endpoints.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const isOn = ({ interfaceName, addresses }: (typeof byName)[number]): boolean =>
    interfaceName === undefined || interfaceName === ''
      ? addresses.some((address) => link.addresses.includes(address))
      : interfaceName === link.interfaceName;
  return (byName.find(isOn) ?? byName.find(({ interfaceName }) => interfaceName === '*'))?.name;
}
