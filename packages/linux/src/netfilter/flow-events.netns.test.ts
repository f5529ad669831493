import { type Family, type IpAddress, parseAddress } from '@overland/net';
import { expect, test, vi } from 'vitest';
import { runInNamespace } from '../namespaces.ts';
import { cable, netns, type TestNamespace } from '../testing/netns.ts';
import { closeDatagramSocket, openUdpSocket, sendDatagram } from '../udp-socket.ts';
import type { Connection } from './connection-codec.ts';
import { openFlowEvents } from './open-flow-events.ts';
import { readPacketHeader } from './packet-header.ts';

const GROUP = 7;
const UDP = 17;
const PORTS = { refused: 81, allowed: 80, client: 4000 } as const;
const ENDS = {
  ipv4: ['192.0.2.0', '192.0.2.1'],
  ipv6: ['2001:db8::', '2001:db8::1'],
} as const satisfies Record<Family, readonly [string, string]>;

/** A host that tracks connections and drops what goes to one port, cabled to a neighbour. */
async function network() {
  const resources = new AsyncDisposableStack();
  const host = resources.use(await netns());
  const neighbour = resources.use(await netns());
  const addresses = (end: 0 | 1) => [`${ENDS.ipv4[end]}/31`, `${ENDS.ipv6[end]}/127`];
  await cable(
    { namespace: host, device: 'eth1', addresses: addresses(0) },
    { namespace: neighbour, device: 'eth1', addresses: addresses(1) },
  );
  await host.exec(['sysctl', '-qw', 'net.netfilter.nf_conntrack_acct=1']);
  const denies = `udp dport ${PORTS.refused} log prefix "no udp" group ${GROUP} drop`;
  const chain = `type filter hook output priority 0; ${denies}; ct state new accept`;
  await host.exec(['nft', `table inet t { chain output { ${chain}; }; }`]);
  return { host, [Symbol.asyncDispose]: () => resources.disposeAsync() };
}

function open(namespace: TestNamespace) {
  const logged: object[] = [];
  const began: Connection[] = [];
  const ended: Connection[] = [];
  const failed = vi.fn();
  const events = runInNamespace(namespace.path, () =>
    openFlowEvents({
      logGroup: GROUP,
      copyOctets: 96,
      logged: ({ prefix, outDevice, octets }) =>
        logged.push({ prefix, outDevice, tuple: readPacketHeader(octets) }),
      began: (connection) => began.push(connection),
      ended: (connection) => ended.push(connection),
      lost: failed,
      failed,
    }),
  );
  return { logged, began, ended, failed, [Symbol.dispose]: () => events[Symbol.dispose]() };
}

function sendFrom(namespace: TestNamespace, family: Family, port: number): void {
  const [source, address] = ENDS[family].map(parseAddress) as [IpAddress, IpAddress];
  const options = { family, tos: 0, ttl: 64, address: source, port: PORTS.client };
  const fd = runInNamespace(namespace.path, () => openUdpSocket(options));
  try {
    sendDatagram(fd, Uint8Array.of(1, 2, 3, 4), { family, address, port });
  } catch (error) {
    // The sender is told when its own host drops what it sends.
    expect(error).toMatchObject({ code: 'EPERM' });
  }
  closeDatagramSocket(fd);
}

const tupleTo = (family: Family, destinationPort: number) => ({
  source: ENDS[family][0],
  destination: ENDS[family][1],
  protocol: UDP,
  sourcePort: PORTS.client,
  destinationPort,
});

test.each(['ipv4', 'ipv6'] as const)(
  'tells which packets rules logged, and which connections began and ended, with counters: %s',
  async (family) => {
    await using net = await network();
    using events = open(net.host);
    const { logged, began, ended, failed } = events;
    const octets = (family === 'ipv4' ? 20 : 40) + 8 + 4;
    sendFrom(net.host, family, PORTS.refused);
    sendFrom(net.host, family, PORTS.allowed);
    const index = Number(
      JSON.parse(await net.host.ip('-j', 'link', 'show', 'dev', 'eth1'))[0].ifindex,
    );
    await vi.waitFor(() => {
      expect(logged).toEqual([
        {
          prefix: 'no udp',
          outDevice: index,
          tuple: { ...tupleTo(family, PORTS.refused), octets },
        },
      ]);
      // Besides, neighbours look for each other.
      expect(began.filter(({ original }) => original.protocol === UDP)).toMatchObject([
        { original: tupleTo(family, PORTS.allowed), reply: { sourcePort: PORTS.allowed } },
      ]);
    });
    await net.host.exec(['conntrack', '-D', '-f', family, '-p', 'udp']);
    await vi.waitFor(() => {
      const sent = { packets: 1, octets };
      expect(ended.filter(({ original }) => original.protocol === UDP)).toMatchObject([
        { original: tupleTo(family, PORTS.allowed), sent },
      ]);
    });
    expect(failed).not.toHaveBeenCalled();
  },
);

test('a group has one reader, and is free again when it stops', async () => {
  await using ns = await netns();
  {
    using _first = open(ns);
    expect(() => open(ns)).toThrow(`read NFLOG group ${GROUP}: EPERM`);
  }
  await vi.waitFor(() => {
    using _second = open(ns);
  });
});
