import type { Topology } from '../topology/topology.ts';

/** A Debian package that the lab needs. */
export interface SystemPackage {
  readonly name: string;
  /** A file of it, by which we see that it is there, however it was installed. */
  readonly file: string;
  /** Services that it would start; they stay disabled. */
  readonly services: readonly string[];
  /** Which labs need it: `undefined` is every lab. */
  readonly neededBy?: (topology: Topology) => boolean;
  /** A container runtime: only with consent, because it is more than a program. */
  readonly isRuntime?: true;
}

const usesRecipe =
  (recipe: string) =>
  ({ nodes }: Topology): boolean =>
    nodes.some((node) => node.recipe === recipe);

/** A peer of the interoperability tests, which start it themselves: no lab has it. */
const byTestsAlone = (): boolean => false;

const usesEtcd = ({ datastore }: Topology): boolean => datastore === 'etcd';

const PODMAN_SERVICES = ['podman', 'podman-auto-update', 'podman-restart'];

/** Everything a lab may need; see `recipes/` for who uses what. */
const SYSTEM_PACKAGES: readonly SystemPackage[] = [
  { name: 'iproute2', file: '/usr/sbin/ip', services: [] },
  { name: 'iputils-ping', file: '/usr/bin/ping', services: [] },
  { name: 'procps', file: '/usr/sbin/sysctl', services: [] },
  { name: 'nftables', file: '/usr/sbin/nft', services: ['nftables'] },
  { name: 'iptables', file: '/usr/sbin/iptables', services: [] },
  { name: 'ipset', file: '/usr/sbin/ipset', services: [] },
  { name: 'conntrack', file: '/usr/sbin/conntrack', services: [] },
  { name: 'tcpdump', file: '/usr/bin/tcpdump', services: [] },
  { name: 'bird2', file: '/usr/sbin/bird', services: ['bird'], neededBy: usesRecipe('bird') },
  { name: 'frr', file: '/usr/lib/frr/bgpd', services: ['frr'], neededBy: usesRecipe('frr') },
  {
    name: 'gobgpd',
    file: '/usr/bin/gobgpd',
    services: ['gobgpd'],
    neededBy: byTestsAlone,
  },
  {
    name: 'openbgpd',
    file: '/usr/sbin/bgpd',
    services: ['openbgpd', 'bgplgd'],
    neededBy: byTestsAlone,
  },
  // Both for tests beside firewalld, which is told of by D-Bus.
  {
    name: 'firewalld',
    file: '/usr/sbin/firewalld',
    services: ['firewalld'],
    neededBy: byTestsAlone,
  },
  { name: 'dbus', file: '/usr/bin/dbus-daemon', services: [], neededBy: byTestsAlone },
  { name: 'tshark', file: '/usr/bin/tshark', services: [], neededBy: byTestsAlone },
  { name: 'stayrtr', file: '/usr/bin/stayrtr', services: ['stayrtr'], neededBy: byTestsAlone },
  { name: 'bgpdump', file: '/usr/bin/bgpdump', services: [], neededBy: byTestsAlone },
  { name: 'exabgp', file: '/usr/sbin/exabgp', services: ['exabgp'], neededBy: byTestsAlone },
  {
    name: 'containernetworking-plugins',
    file: '/usr/lib/cni/ptp',
    services: [],
    neededBy: byTestsAlone,
  },
  { name: 'podman', file: '/usr/bin/podman', services: PODMAN_SERVICES, isRuntime: true },
  {
    name: 'containerd',
    file: '/usr/bin/containerd',
    services: ['containerd'],
    isRuntime: true,
  },
  { name: 'runc', file: '/usr/sbin/runc', services: [], isRuntime: true },
  { name: 'docker.io', file: '/usr/sbin/dockerd', services: ['docker'], isRuntime: true },
  { name: 'busybox-static', file: '/bin/busybox', services: [], isRuntime: true },
  {
    name: 'etcd-server',
    file: '/usr/bin/etcd',
    services: ['etcd'],
    neededBy: usesEtcd,
  },
  { name: 'etcd-client', file: '/usr/bin/etcdctl', services: [], neededBy: usesEtcd },
];

/**
 * The packages that are not there.
 *
 * @param options.topology Only what this lab needs; without it, what any lab or test needs.
 * @param options.runtimes Container runtimes for tests, too.
 */
export function missingPackages(
  exists: (file: string) => boolean,
  {
    topology,
    runtimes = false,
  }: { readonly topology?: Topology; readonly runtimes?: boolean } = {},
): SystemPackage[] {
  return SYSTEM_PACKAGES.filter(({ file, neededBy, isRuntime }) => {
    if (exists(file) || (isRuntime && !runtimes)) return false;
    return topology === undefined || neededBy === undefined || neededBy(topology);
  });
}
