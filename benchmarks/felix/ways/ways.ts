import { cable } from '@overland/linux/testing';
import { type Fabric, type Host, load, UPLINK, type Way } from './fabric.ts';

const SIDES = ['left', 'right'] as const;
const PORTS = '1024-65535';
const GATEWAY = '169.254.1.1';
const VXLAN_OCTETS = 50;
const MTU = 1500;

/** What any host with policy has: connections are tracked. */
const TRACKED = [
  'table inet t {',
  'chain forward { type filter hook forward priority 0; ct state established,related accept; }',
  '}',
];

/** As Overland does it: a route on the host, one on the router, no translation, no encapsulation. */
const underlay: Way = {
  name: 'underlay',
  what: 'routed, no NAT, no encapsulation',
  target: '10.65.1.2',
  async build(fabric) {
    const addresses = { left: '10.65.0.2', right: '10.65.1.2' } as const;
    for (const side of SIDES) {
      const { host, container } = fabric[side];
      await cable(
        { namespace: host, device: 'cali1', addresses: [`${GATEWAY}/32`] },
        { namespace: container, device: 'eth0', addresses: [`${addresses[side]}/32`] },
      );
      await container.ip('route', 'add', GATEWAY, 'dev', 'eth0', 'scope', 'link');
      await container.ip('route', 'add', 'default', 'via', GATEWAY, 'dev', 'eth0');
      await host.ip('route', 'add', addresses[side], 'dev', 'cali1');
    }
    await routeOnRouter(fabric, addresses);
    for (const side of SIDES) await load(fabric[side].host, TRACKED);
  },
};

/** Docker's default: a bridge of private addresses, masquerade on the way out, a published port on the way in. */
const bridgeWithNat: Way = {
  name: 'bridge + NAT',
  what: "Docker's default: bridge, masquerade, published port",
  target: UPLINK.right,
  async build(fabric) {
    for (const side of SIDES) {
      const { host } = fabric[side];
      await bridged(fabric[side], '172.17.0.2/16', '172.17.0.1/16', MTU);
      await load(host, [
        'table ip nat {',
        'chain out { type nat hook postrouting priority 100; ip saddr 172.17.0.0/16 oifname != "br0" masquerade; }',
        `chain in { type nat hook prerouting priority -100; iifname "up" tcp dport ${PORTS} dnat to 172.17.0.2; }`,
        '}',
        'table ip filter {',
        'chain forward { type filter hook forward priority 0; ct state established,related accept; }',
        '}',
      ]);
    }
  },
};

/** As flannel does it: a bridge and a network for each host, and a tunnel between them. */
const overlay: Way = {
  name: 'vxlan',
  what: 'overlay as flannel builds it: bridge, routes into VXLAN',
  target: '10.200.1.2',
  async build(fabric) {
    const networks = { left: '10.200.0', right: '10.200.1' } as const;
    const macs = { left: '02:00:00:00:00:01', right: '02:00:00:00:00:02' } as const;
    for (const side of SIDES) {
      const { host } = fabric[side];
      const own = networks[side];
      const far = side === 'left' ? 'right' : 'left';
      await bridged(fabric[side], `${own}.2/24`, `${own}.1/24`, MTU - VXLAN_OCTETS);
      const tunnel = ['id', '42', 'local', UPLINK[side], 'dstport', '4789', 'nolearning'];
      await host.ip('link', 'add', 'vx', 'address', macs[side], 'type', 'vxlan', ...tunnel);
      await host.ip('address', 'add', `${own}.0/32`, 'dev', 'vx');
      await host.ip('link', 'set', 'vx', 'mtu', `${MTU - VXLAN_OCTETS}`, 'up');
      const gateway = `${networks[far]}.0`;
      await host.ip('neighbour', 'add', gateway, 'lladdr', macs[far], 'dev', 'vx');
      await host.exec(['bridge', 'fdb', 'add', macs[far], 'dev', 'vx', 'dst', UPLINK[far]]);
      await host.ip('route', 'add', `${networks[far]}.0/24`, 'via', gateway, 'dev', 'vx', 'onlink');
      await load(host, TRACKED);
    }
  },
};

export const WAYS: readonly Way[] = [underlay, bridgeWithNat, overlay];

async function bridged(
  { host, container }: Host,
  address: string,
  gateway: string | undefined,
  mtu: number,
): Promise<void> {
  await host.ip('link', 'add', 'br0', 'type', 'bridge');
  await cable(
    { namespace: host, device: 'veth1' },
    { namespace: container, device: 'eth0', addresses: [address] },
  );
  await host.ip('link', 'set', 'veth1', 'master', 'br0');
  await container.ip('link', 'set', 'eth0', 'mtu', `${mtu}`);
  if (gateway !== undefined) await host.ip('address', 'add', gateway, 'dev', 'br0');
  await host.ip('link', 'set', 'br0', 'up');
  if (gateway === undefined) return;
  await container.ip('route', 'add', 'default', 'via', gateway.split('/')[0] ?? '');
}

async function routeOnRouter(
  { router }: Fabric,
  addresses: Readonly<Record<(typeof SIDES)[number], string>>,
): Promise<void> {
  for (const side of SIDES) await router.ip('route', 'add', addresses[side], 'via', UPLINK[side]);
}
