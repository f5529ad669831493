import { familyOf, type IpAddress } from '@overland/net';
import type { EndpointFilter, PolicyState } from './policy-state.ts';

/** A port of the host that leads to a workload of the same IP version. */
export interface PortForward {
  readonly version: 4 | 6;
  /** IP protocol number. */
  readonly protocol: number;
  /** `undefined`: all addresses of the host. */
  readonly hostAddress: IpAddress | undefined;
  readonly hostPort: number;
  readonly address: IpAddress;
  readonly port: number;
}

/** An address that leads to a workload's own, of the same IP version. */
export interface FloatingForward {
  readonly version: 4 | 6;
  readonly internal: IpAddress;
  readonly external: IpAddress;
}

/** None where the host does not have them switched on. */
export function floatingForwardsOf({ endpoints, host }: PolicyState): FloatingForward[] {
  if (!host?.hasFloatingAddresses) return [];
  return [...endpoints.values()].flatMap(({ guard }) =>
    (guard?.floating ?? []).map((one) => ({ ...one, version: versionOf(one.internal) })),
  );
}

/**
 * Of two workloads that want one port of the host, the first by name has it.
 *
 * @returns Those about one address of the host before those about all.
 */
export function portForwardsOf({ endpoints }: PolicyState): PortForward[] {
  const taken = new Map<string, PortForward>();
  const byName = [...endpoints.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
  for (const forward of byName.flatMap(forwardsOf)) {
    const { version, protocol, hostAddress = '', hostPort } = forward;
    const key = `${version} ${protocol} ${hostAddress} ${hostPort}`;
    if (!taken.has(key)) taken.set(key, forward);
  }
  return [...taken.values()].toSorted((a, b) => rank(a) - rank(b));
}

function forwardsOf({ addresses, guard }: EndpointFilter): PortForward[] {
  return (guard?.hostPorts ?? []).flatMap((wanted) =>
    ([4, 6] as const).flatMap((version) => {
      const address = addresses.find((one) => versionOf(one) === version);
      const { hostAddress } = wanted;
      const isOther = hostAddress !== undefined && versionOf(hostAddress) !== version;
      return address === undefined || isOther ? [] : [{ ...wanted, version, address }];
    }),
  );
}

function rank({ hostAddress }: PortForward): number {
  return hostAddress === undefined ? 1 : 0;
}

function versionOf(address: IpAddress): 4 | 6 {
  return familyOf(address) === 'ipv4' ? 4 : 6;
}
