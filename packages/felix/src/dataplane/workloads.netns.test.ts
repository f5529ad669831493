import { type Kernel, openKernel, PROTOCOL } from '@overland/linux';
import { openNftables } from '@overland/linux/netfilter';
import { netns, type TestNamespace } from '@overland/linux/testing';
import { type IpAddress, parseAddress, parsePrefix, WORKLOAD_LINK } from '@overland/net';
import { pino } from 'pino';
import { expect, test, vi } from 'vitest';
import { openingPolicy } from '../../test/open-policy.ts';
import { interfaceSysctls } from '../calc/interface-sysctls.ts';
import type { EndpointState, LocalState } from '../calc/local-state.ts';
import { createDataplane, type Dataplane } from './dataplane.ts';

const log = pino({ level: process.env.LOG_LEVEL ?? 'silent' });
const NEVER = new AbortController().signal;

interface Container {
  readonly ns: TestNamespace;
  readonly interfaceName: string;
  readonly addresses: readonly [IpAddress, IpAddress];
}

/** What `workloads` does for a container: both ends of the veth, the inner one addressed, the outer one down. */
async function container(host: Kernel, number: number): Promise<Container & AsyncDisposable> {
  const ns = await netns();
  const interfaceName = `${WORKLOAD_LINK.namePrefix}${number}`;
  const peer = { name: 'eth0', namespace: ns.path };
  await host.links.createVeth({ name: interfaceName, mac: WORKLOAD_LINK.hostMac, mtu: 1500, peer });
  const [ipv4, ipv6] = [`10.65.0.${number}`, `fd00:65::${number}`];
  await ns.ip('link', 'set', 'eth0', 'up');
  await ns.ip('addr', 'add', `${ipv4}/32`, 'dev', 'eth0');
  await ns.ip('addr', 'add', `${ipv6}/128`, 'dev', 'eth0', 'nodad');
  const { gateway } = WORKLOAD_LINK;
  await ns.ip('route', 'add', gateway.ipv4, 'dev', 'eth0');
  await ns.ip('route', 'add', 'default', 'via', gateway.ipv4);
  await ns.ip('-6', 'route', 'add', 'default', 'via', gateway.ipv6, 'dev', 'eth0');
  return {
    ns,
    interfaceName,
    addresses: [parseAddress(ipv4), parseAddress(ipv6)],
    [Symbol.asyncDispose]: () => ns[Symbol.asyncDispose](),
  };
}

function endpointOf({ interfaceName, addresses }: Container): EndpointState {
  return {
    interfaceName,
    workloadAddresses: addresses,
    addresses: [
      { address: WORKLOAD_LINK.gateway.ipv4, length: 32 },
      { address: WORKLOAD_LINK.gateway.ipv6, length: 64 },
    ],
    sysctls: interfaceSysctls(interfaceName, false),
    mtu: 1450,
  };
}

function stateOf(...containers: readonly Container[]): LocalState {
  return {
    synced: true,
    endpoints: new Map(containers.map((each) => [each.interfaceName, endpointOf(each)])),
    blackholes: [parsePrefix('10.65.0.0/26'), parsePrefix('fd00:65::/122')],
    sources: { ipv4: parseAddress('10.0.0.11'), ipv6: parseAddress('fd00::11') },
  };
}

interface Lab extends AsyncDisposable {
  readonly host: TestNamespace;
  readonly kernel: Kernel;
  start(): Dataplane;
}

async function lab(): Promise<Lab> {
  const host = await netns();
  await host.exec(['sysctl', '-qw', 'net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1']);
  await host.ip('addr', 'add', '10.0.0.11/32', 'dev', 'lo');
  await host.ip('addr', 'add', 'fd00::11/128', 'dev', 'lo', 'nodad');
  const kernel = openKernel({ namespace: host.path });
  const nftables = openNftables({ namespace: host.path });
  return {
    host,
    kernel,
    start: () => openingPolicy(createDataplane({ kernel, nftables, log })),
    async [Symbol.asyncDispose]() {
      nftables[Symbol.dispose]();
      await kernel[Symbol.asyncDispose]();
      await host[Symbol.asyncDispose]();
    },
  };
}

async function run(dataplane: Dataplane, ...containers: readonly Container[]): Promise<void> {
  dataplane.setLocalState(stateOf(...containers));
  for (const { interfaceName, addresses } of containers) {
    await dataplane.endpointReady(interfaceName, addresses, NEVER);
  }
}

/** Whether a single ping is answered, without any address resolution before. */
async function reaches(from: TestNamespace, to: string, waitSeconds = 2): Promise<boolean> {
  return from.exec(['ping', '-c1', `-W${waitSeconds}`, to]).then(
    () => true,
    () => false,
  );
}

test('containers reach the host and each other with the first packet, once they are ready', async () => {
  await using here = await lab();
  await using one = await container(here.kernel, 2);
  await using two = await container(here.kernel, 3);
  await using dataplane = here.start();
  const started = performance.now();
  await run(dataplane, one, two);
  console.log(`two containers ready: ${(performance.now() - started).toFixed(0)} ms`);
  for (const [from, to] of [
    [one.ns, '10.0.0.11'],
    [one.ns, 'fd00::11'],
    [one.ns, '10.65.0.3'],
    [two.ns, 'fd00:65::2'],
    [here.host, '10.65.0.2'],
    [here.host, 'fd00:65::3'],
  ] as const) {
    expect([to, await reaches(from, to)]).toEqual([to, true]);
  }
  // An address of the block that nobody has must not loop.
  expect(await here.host.ip('route', 'get', 'fd00:65::9').catch((error) => error.stderr)).toMatch(
    /blackhole|Invalid|unreachable/i,
  );
  expect(await here.host.ip('route', 'get', '10.65.0.2')).toContain('src 10.0.0.11');
  expect(await here.kernel.links.get('cali2')).toMatchObject({ mtu: 1450, up: true });
  expect(await here.host.exec(['sysctl', '-n', 'net.ipv4.conf.cali2.rp_filter'])).toBe('1\n');
  expect(dataplane.status()).toMatchObject({ failureCount: 0, repairs: 0 });
});

test('an interface that nobody knows is dropped, also while no agent runs', async () => {
  await using here = await lab();
  await using known = await container(here.kernel, 2);
  await using unknown = await container(here.kernel, 3);
  {
    await using dataplane = here.start();
    await run(dataplane, known);
  }
  // Somebody plugs it in by hand, past us.
  await here.host.ip('link', 'set', 'cali3', 'up');
  await here.host.ip('addr', 'add', '169.254.1.1/32', 'dev', 'cali3');
  await here.host.ip('route', 'add', '10.65.0.3/32', 'dev', 'cali3');
  expect(await reaches(unknown.ns, '10.0.0.11', 0.5)).toBe(false);
  expect(await reaches(unknown.ns, '10.65.0.2', 0.5)).toBe(false);
  expect(await reaches(known.ns, '10.65.0.3', 0.5)).toBe(false);
  expect(await reaches(known.ns, '10.0.0.11')).toBe(true);

  await here.host.ip('route', 'del', '10.65.0.3/32');
  await using dataplane = here.start();
  await run(dataplane, known, unknown);
  expect(await reaches(known.ns, '10.65.0.3')).toBe(true);
});

test('a restart under traffic loses nothing and writes nothing', async () => {
  await using here = await lab();
  await using one = await container(here.kernel, 2);
  await using two = await container(here.kernel, 3);
  {
    await using dataplane = here.start();
    await run(dataplane, one, two);
  }
  const ruleset = await here.host.exec(['nft', '-a', 'list', 'ruleset']);
  const routes = await here.host.ip('route', 'show', 'proto', '87');
  const monitor = openKernel({ namespace: here.host.path });
  const stop = new AbortController();
  const seen: unknown[] = [];
  const watching = (async () => {
    for await (const event of monitor.monitor.events(stop.signal)) {
      // The kernel's own link-local addresses become valid about now.
      if (event.type !== 'neighbour' && event.type !== 'address') seen.push(event);
    }
  })();
  const ping = one.ns.exec(['ping', '-i0.01', '-c100', '-W1', '10.65.0.3']);
  {
    await using dataplane = here.start();
    await run(dataplane, one, two);
    await vi.waitFor(() => expect(dataplane.status().local.routes.programmed).toBe(6));
  }
  expect(await ping).toContain(' 0% packet loss');
  stop.abort();
  await watching;
  await monitor[Symbol.asyncDispose]();
  expect(seen).toEqual([]);
  expect(await here.host.exec(['nft', '-a', 'list', 'ruleset'])).toBe(ruleset);
  expect(await here.host.ip('route', 'show', 'proto', '87')).toBe(routes);
});

test('what is done to an interface by hand is undone within a second', async () => {
  await using here = await lab();
  await using one = await container(here.kernel, 2);
  await using dataplane = here.start();
  await run(dataplane, one);
  const undone = () =>
    vi.waitFor(
      async () => {
        for (const family of ['ipv4', 'ipv6'] as const) {
          expect(await here.kernel.routes.list(family, PROTOCOL.local)).toHaveLength(2);
        }
        expect(await here.host.ip('addr', 'show', 'cali2')).toMatch(
          /169\.254\.1\.1[\s\S]*fe80::1\/64/,
        );
      },
      { timeout: 1000, interval: 20 },
    );
  for (const args of [
    ['link', 'set', 'cali2', 'down'],
    ['route', 'del', '10.65.0.2/32'],
    ['route', 'del', 'blackhole', '10.65.0.0/26', 'metric', '512'],
    ['-6', 'route', 'del', 'fd00:65::2/128', 'dev', 'cali2'],
    ['addr', 'del', '169.254.1.1/32', 'dev', 'cali2'],
    ['addr', 'del', 'fe80::1/64', 'dev', 'cali2'],
    ['addr', 'flush', 'dev', 'cali2'],
    ['addr', 'del', '10.0.0.11/32', 'dev', 'lo'],
  ]) {
    await here.host.ip(...args);
    await undone();
  }
  expect(await reaches(one.ns, 'fd00::11')).toBe(true);
  const [route] = await here.kernel.routes.list('ipv4', PROTOCOL.local);
  expect(route?.source).toBeUndefined();
});

test('what is done to the packet filter by hand is undone within a second, and tables of others stay', async () => {
  await using here = await lab();
  await using one = await container(here.kernel, 2);
  await using dataplane = here.start();
  await run(dataplane, one);
  const nft = (script: string) => here.host.exec(['nft', script]);
  const ours = () => here.host.exec(['nft', '-s', 'list', 'table', 'inet', 'overland']);
  // Handles and the order of chains tell what was made anew; what it says is what matters.
  const lines = async () => (await ours()).split('\n').toSorted();
  const before = await lines();
  for (const damage of [
    'insert rule inet overland from-workload accept',
    'flush chain inet overland forward',
    'delete element inet overland from-workloads { "cali2" }',
    'add chain inet overland stranger',
    'add table inet overland { flags dormant; }',
    'add table ip other; add chain ip other c; delete table inet overland',
    'flush ruleset',
  ]) {
    await nft(damage);
    await vi.waitFor(async () => expect(await lines()).toEqual(before), {
      timeout: 1000,
      interval: 20,
    });
    if (damage.includes('ip other')) expect(await nft('list tables')).toContain('ip other');
  }
  expect(await reaches(one.ns, '10.0.0.11')).toBe(true);
  expect(dataplane.status().policy?.repairs).toBeGreaterThanOrEqual(7);
});

test('a workload cannot send from an address that is not its own', async () => {
  await using here = await lab();
  await using one = await container(here.kernel, 2);
  await using two = await container(here.kernel, 3);
  await using dataplane = here.start();
  await run(dataplane, one, two);
  await one.ns.ip('addr', 'add', '10.65.0.44/32', 'dev', 'lo');
  const spoofed = one.ns.exec(['ping', '-c1', '-W0.5', '-I', '10.65.0.44', '10.65.0.3']);
  await expect(spoofed).rejects.toThrow();
  const received = await two.ns.exec(['nstat', '-asz', 'IcmpInEchos']);
  expect(received).toMatch(/IcmpInEchos\s+0 /);
});

test('a container that leaves takes its route and its permission along', async () => {
  await using here = await lab();
  await using one = await container(here.kernel, 2);
  await using two = await container(here.kernel, 3);
  await using dataplane = here.start();
  await run(dataplane, one, two);
  await here.kernel.links.remove('cali3');
  dataplane.setLocalState(stateOf(one));
  await vi.waitFor(async () =>
    expect(await here.host.exec(['nft', 'list', 'table', 'inet', 'overland'])).not.toContain(
      'cali3',
    ),
  );
  expect(await here.host.ip('route', 'show', '10.65.0.3')).toBe('');
  expect(await reaches(one.ns, '10.0.0.11')).toBe(true);
});
