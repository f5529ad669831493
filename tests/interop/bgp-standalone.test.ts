import { spawn } from 'node:child_process';
import { cable, netns, type TestNamespace } from '@overland/linux/testing';
import { expect, test } from 'vitest';
import { type BgpRun, startBgpRun } from './support/bgp-run.ts';
import { until } from './support/until.ts';

/**
 * left — (two links) — middle — right. Each router has a loopback of its own, n in 1..3, and AS 65000 + n.
 */
async function line(): Promise<Record<'left' | 'middle' | 'right', TestNamespace>> {
  const [left, middle, right] = [await netns(), await netns(), await netns()];
  for (const [n, namespace] of [left, middle, right].entries()) {
    await namespace.ip('address', 'add', `10.0.0.${n + 1}/32`, 'dev', 'lo');
    await namespace.ip('address', 'add', `fd00::${n + 1}/128`, 'dev', 'lo', 'nodad');
    const forwarding = ['net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1'];
    await namespace.exec(['sysctl', '-q', '-w', ...forwarding, 'net.ipv4.nexthop_compat_mode=0']);
  }
  for (const link of [1, 2]) {
    await cable(
      { namespace: left, device: `eth${link}`, addresses: ends(link, 0) },
      { namespace: middle, device: `eth${link}`, addresses: ends(link, 1) },
    );
  }
  await cable(
    { namespace: middle, device: 'eth3', addresses: ends(3, 0) },
    { namespace: right, device: 'eth1', addresses: ends(3, 1) },
  );
  return { left, middle, right };
}

const ends = (link: number, end: 0 | 1): string[] => [
  `10.1.${link}.${end}/31`,
  `fd00:1:${link}::${end}/127`,
];

type PeerAt = readonly [link: number, end: 0 | 1, asn: number];

function speakerFile(n: number, holdSeconds: number, peers: readonly PeerAt[]): string {
  return JSON.stringify({
    asn: 65000 + n,
    routerId: `10.0.0.${n}`,
    originate: [`10.0.0.${n}/32`, `fd00::${n}/128`],
    defaults: { holdSeconds, connectRetrySeconds: 1 },
    peers: peers.flatMap(([link, end, asn]) => [
      { address: `10.1.${link}.${end}`, asn },
      { address: `fd00:1:${link}::${end}`, asn },
    ]),
  });
}

interface Routers extends AsyncDisposable {
  readonly namespaces: Record<'left' | 'middle' | 'right', TestNamespace>;
  readonly left: BgpRun;
  readonly middle: BgpRun;
}

async function routers(holdSeconds = 3): Promise<Routers> {
  const namespaces = await line();
  const left = await startBgpRun(
    namespaces.left,
    speakerFile(1, holdSeconds, [
      [1, 1, 65002],
      [2, 1, 65002],
    ]),
  );
  const middle = await startBgpRun(
    namespaces.middle,
    speakerFile(2, holdSeconds, [
      [1, 0, 65001],
      [2, 0, 65001],
      [3, 1, 65003],
    ]),
  );
  const right = await startBgpRun(namespaces.right, speakerFile(3, holdSeconds, [[3, 0, 65002]]));
  return {
    namespaces,
    left,
    middle,
    async [Symbol.asyncDispose]() {
      for (const router of [left, middle, right]) await router[Symbol.asyncDispose]();
      for (const namespace of Object.values(namespaces)) await namespace[Symbol.asyncDispose]();
    },
  };
}

/** Of each peer: its state and how many stale paths of it are held. */
async function staleAt(router: BgpRun): Promise<(readonly [state: string, stale: number])[]> {
  const { peers } = await router.summary();
  return peers.map(({ state, prefixesStale: { ipv4, ipv6 } }) => [state, ipv4 + ipv6] as const);
}

const pings = async (from: TestNamespace, source: string, target: string): Promise<boolean> => {
  const argv = ['ping', '-q', '-c', '1', '-W', '1', '-I', source, target] as const;
  return from.exec(argv).then(
    () => true,
    () => false,
  );
};

test('routers of ours alone: learned routes in the kernel, ECMP over both links, both families', async () => {
  await using lab = await routers();
  const { left } = lab.namespaces;
  await until('IPv4 is through', () => pings(left, '10.0.0.1', '10.0.0.3'));
  await until('IPv6 is through', () => pings(left, 'fd00::1', 'fd00::3'));

  const routes = await left.ip('route', 'show', 'proto', '86');
  expect(routes).toMatch(/10\.0\.0\.3 nhid \d+ .*metric 20/);
  const objects = await left.ip('nexthop', 'show', 'proto', '86');
  expect(objects).toMatch(/id \d+ group \d+\/\d+ proto 86/);
  const { peers } = await lab.middle.summary();
  expect(peers.map(({ state, prefixesReceived: { ipv4, ipv6 } }) => [state, ipv4 + ipv6])).toEqual(
    new Array(6).fill(['Established', 1]),
  );
});

test('a link that goes down takes its session and its next hops at once', async () => {
  await using lab = await routers();
  const { left, middle } = lab.namespaces;
  await until('both links are used', async () =>
    /group/.test(await left.ip('nexthop', 'show', 'proto', '86')),
  );
  await until('IPv4 is through', () => pings(left, '10.0.0.1', '10.0.0.3'));
  await middle.ip('link', 'set', 'eth1', 'down');
  await until(
    'the session is down',
    async () => (await lab.left.summary()).peers.some(({ state }) => state !== 'Established'),
    1.5,
  );
  expect(await pings(left, '10.0.0.1', '10.0.0.3')).toBe(true);
  await middle.ip('link', 'set', 'eth1', 'up');
  await until('both links are used again', async () =>
    /group/.test(await left.ip('nexthop', 'show', 'proto', '86')),
  );
});

test('a neighbour that stops answering is no next hop, long before its session ends', async () => {
  await using lab = await routers(90);
  const { left, middle } = lab.namespaces;
  const impatient = ['ipv4', 'ipv6'].flatMap((family) => [
    `net.${family}.neigh.eth1.base_reachable_time_ms=1000`,
    `net.${family}.neigh.eth1.delay_first_probe_time=1`,
    `net.${family}.neigh.eth1.retrans_time_ms=200`,
  ]);
  for (const end of [left, middle]) {
    await end.exec(['sysctl', '-q', '-w', ...impatient]);
    // What is known already has timers as they were.
    await end.ip('neigh', 'flush', 'dev', 'eth1');
  }
  /** The next-hop objects of the routes to the right one, IPv4 and IPv6: a group, or a path. */
  const targets = async (): Promise<string[]> => {
    const objects = await left.ip('nexthop', 'show', 'proto', '86');
    const routes = [
      await left.ip('route', 'show', '10.0.0.3'),
      await left.ip('-6', 'route', 'show', 'fd00::3'),
    ];
    return routes.map((route) => {
      const id = /nhid (\d+)/.exec(route)?.[1];
      return new RegExp(`^id ${id} (group|.*dev eth\\d)`, 'm').exec(objects)?.[1] ?? '';
    });
  };
  const areAll = async (wanted: RegExp) => (await targets()).every((target) => wanted.test(target));
  await until('both links are used', () => areAll(/group/));

  const silence =
    'add table netdev silence { chain in { type filter hook ingress device eth1 priority 0; policy drop; }; }';
  for (const end of [left, middle]) await end.exec(['nft', silence]);
  await until('the other link alone is used', async () => {
    // The kernel asks where a neighbour is when there is something to send to it.
    await pings(left, '10.1.1.0', '10.1.1.1');
    await pings(left, 'fd00:1:1::0', 'fd00:1:1::1');
    return areAll(/dev eth2/);
  });
  await until('IPv4 comes back that way, too', () => pings(left, '10.0.0.1', '10.0.0.3'));
  await until('IPv6 comes back that way, too', () => pings(left, 'fd00::1', 'fd00::3'));
  expect((await lab.left.summary()).peers.map(({ state }) => state)).toEqual(
    new Array(4).fill('Established'),
  );

  for (const end of [left, middle]) await end.exec(['nft', 'delete table netdev silence']);
  await until('both links are used again', () => areAll(/group/));
});

test('kill -9 and a new start change nothing in the kernel, and the peers keep its routes', async () => {
  await using lab = await routers();
  const { left, middle } = lab.namespaces;
  await until('IPv4 is through', () => pings(left, '10.0.0.1', '10.0.0.3'));
  await until('IPv6 is through', () => pings(left, 'fd00::1', 'fd00::3'));
  const before = await middle.ip('route', 'show', 'proto', '86');
  const objects = await middle.ip('nexthop', 'show', 'proto', '86');
  const monitor = spawn('ip', ['-n', middle.name, 'monitor', 'route', 'nexthop']);
  let events = '';
  monitor.stdout.on('data', (text: Buffer) => {
    events += text.toString();
  });

  await lab.middle.kill('SIGKILL');
  await until('the routes are stale at the peer', async () =>
    (await staleAt(lab.left)).every(([state, stale]) => state !== 'Established' && stale > 0),
  );
  expect(await pings(left, '10.0.0.1', '10.0.0.3')).toBe(true);
  await lab.middle.start();
  await until('sessions are back, nothing is stale', async () =>
    (await staleAt(lab.left)).every(([state, stale]) => state === 'Established' && stale === 0),
  );
  await until('routes are selected', () => lab.middle.log.includes('selecting routes'));
  expect(await middle.ip('route', 'show', 'proto', '86')).toBe(before);
  expect(await middle.ip('nexthop', 'show', 'proto', '86')).toBe(objects);
  monitor.kill();
  expect(events.match(/proto 86.*/g) ?? []).toEqual([]);
});

test("a route deleted by hand is back within a second, somebody else's is left alone", async () => {
  await using lab = await routers();
  const { left } = lab.namespaces;
  await until('IPv4 is through', () => pings(left, '10.0.0.1', '10.0.0.3'));
  await until('IPv6 is through', () => pings(left, 'fd00::1', 'fd00::3'));
  await left.ip('route', 'add', '10.0.0.99/32', 'via', '10.1.1.1', 'proto', 'static');
  const before = await left.ip('route', 'show', '10.0.0.3/32');
  await left.ip('route', 'del', '10.0.0.3/32');
  await left.ip('-6', 'route', 'del', 'fd00::3/128');
  await until(
    'it is back',
    async () => (await left.ip('route', 'show', '10.0.0.3/32')) === before,
    1,
  );
  await until(
    'IPv6 too',
    async () => /nhid/.test(await left.ip('-6', 'route', 'show', 'fd00::3')),
    1,
  );
  expect(await left.ip('route', 'show', '10.0.0.99/32')).toContain('static');
});
