/**
 * Kernel settings of a workload's host interface (Calico Felix, `endpoint_mgr.go`), set before it is up.
 * `route_localnet` is 1 only where a port of the host leads to the workload: programs of the host reach that on 127.0.0.1,
 * too. The packet filter keeps the workload from the host's 127/8. In Calico it is always 1.
 */
const SETTINGS = [
  ['net.ipv4.conf.%.forwarding', '1', 'the host routes between its workloads and the fabric'],
  [
    'net.ipv4.conf.%.rp_filter',
    '1',
    'a workload must not send from an address that is not its own',
  ],
  ['net.ipv4.conf.%.proxy_arp', '1', 'answer for the whole world, should the workload ask for it'],
  ['net.ipv4.neigh.%.proxy_delay', '0', 'answer at once: the default waits up to 0.8 s'],
  ['net.ipv6.conf.%.accept_ra', '0', 'a workload must not give the host a default route'],
  ['net.ipv6.conf.%.forwarding', '1', 'the host routes between its workloads and the fabric'],
  ['net.ipv6.conf.%.proxy_ndp', '1', 'answer neighbour solicitations for proxied addresses'],
] as const;
const ROUTE_LOCALNET = 'net.ipv4.conf.%.route_localnet';

/**
 * The settings of one interface as sysctl keys (`/` where the name has dots) and values.
 *
 * @param hasHostPorts Whether a port of the host leads to its workload.
 */
export function interfaceSysctls(
  interfaceName: string,
  hasHostPorts: boolean,
): (readonly [key: string, value: string])[] {
  const name = interfaceName.replaceAll('.', '/');
  const settings = [...SETTINGS, [ROUTE_LOCALNET, hasHostPorts ? '1' : '0'] as const];
  return settings.map(([key, value]) => [key.replace('%', () => name), value] as const);
}
