/**
 * Kernel settings of a workload's host interface (Calico Felix, `endpoint_mgr.go`), set before it is up.
 * Calico's `route_localnet=1` is left out: it would let workloads reach services on the host's 127/8.
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

/** The settings of one interface as sysctl keys (`/` where the name has dots) and values. */
export function interfaceSysctls(interfaceName: string): (readonly [key: string, value: string])[] {
  const name = interfaceName.replaceAll('.', '/');
  return SETTINGS.map(([key, value]) => [key.replace('%', () => name), value] as const);
}
