import type { SpeakerConfig } from '@overland/bgp';
import { compareAddresses, hostPrefix, type IpAddress } from '@overland/net';
import type { Report } from './diagnostics.ts';
import type { Session } from './sessions.ts';

/** Routes to the peers that are reached by a gateway (`reachableBy`), and links of those that no subnet is about. */
export function waysToPeers(
  sessions: readonly Session[],
  report: Report,
): Pick<SpeakerConfig, 'static' | 'neighbours'> {
  const gateways = new Map<IpAddress, IpAddress>();
  for (const { address, spec, resource } of sessions) {
    const gateway = gateways.get(address);
    if (!spec.reachableBy || gateway === spec.reachableBy) continue;
    if (gateway === undefined) gateways.set(address, spec.reachableBy);
    else report(resource, `reachableBy: ${address} is reached by ${gateway} for another session`);
  }
  const routes = [...gateways]
    .toSorted(([a], [b]) => compareAddresses(a, b))
    .map(([address, gateway]) => ({
      prefix: hostPrefix(address),
      nextHops: [{ address: gateway }],
      advertise: false,
    }));
  const neighbours = sessions.flatMap(({ address, workload }) =>
    workload ? [{ address, device: workload.device }] : [],
  );
  return {
    ...(routes.length > 0 && { static: routes }),
    ...(neighbours.length > 0 && { neighbours }),
  };
}
