import { openKernel } from '@overland/linux';
import { openNftables } from '@overland/linux/netfilter';
import { netns, type TestNamespace } from '@overland/linux/testing';
import { parseAddress, WORKLOAD_LINK } from '@overland/net';
import { pino } from 'pino';
import { expect, test, vi } from 'vitest';
import { openingPolicy } from '../../test/open-policy.ts';
import type { Bandwidth } from '../calc/bandwidth.ts';
import { interfaceSysctls } from '../calc/interface-sysctls.ts';
import { createDataplane } from './dataplane.ts';

const ADDRESS = parseAddress('10.65.0.2');
const HOST = '10.0.0.11';
/** 100 kbit/s: what comes on top of burst and queue is lost, however slow the machine. */
const SLOW = { rate: 12_500, burst: 20_000 };
/** 400 datagrams of 1,400 octets at once, far more than bucket and queue hold, from a socket that waits for none (SO_SNDBUFFORCE). */
const FLOOD = `
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, 32, 8 << 20)
for _ in range(400): s.sendto(bytes(1400), (sys.argv[1], 9))
`;

async function lab() {
  await using made = new AsyncDisposableStack();
  const host = made.use(await netns());
  const workload = made.use(await netns());
  await host.exec(['sysctl', '-qw', 'net.ipv4.ip_forward=1']);
  await host.ip('addr', 'add', `${HOST}/32`, 'dev', 'lo');
  const kernel = made.use(openKernel({ namespace: host.path }));
  const nftables = made.use(openNftables({ namespace: host.path }));
  const peer = { name: 'eth0', namespace: workload.path };
  await kernel.links.createVeth({ name: 'cali2', mac: WORKLOAD_LINK.hostMac, mtu: 1500, peer });
  await workload.ip('link', 'set', 'eth0', 'up');
  await workload.ip('addr', 'add', `${ADDRESS}/32`, 'dev', 'eth0');
  await workload.ip('route', 'add', WORKLOAD_LINK.gateway.ipv4, 'dev', 'eth0');
  await workload.ip('route', 'add', 'default', 'via', WORKLOAD_LINK.gateway.ipv4);
  const log = pino({ level: 'silent' });
  const dataplane = made.use(openingPolicy(createDataplane({ kernel, nftables, log })));
  const owned = made.move();
  return {
    host,
    workload,
    dataplane,
    async limit(bandwidth: Bandwidth | undefined) {
      const endpoint = {
        interfaceName: 'cali2',
        workloadAddresses: [ADDRESS],
        addresses: [{ address: WORKLOAD_LINK.gateway.ipv4, length: 32 }],
        sysctls: interfaceSysctls('cali2', false),
        mtu: undefined,
        ...(bandwidth && { bandwidth }),
      };
      const endpoints = new Map([['cali2', endpoint]]);
      dataplane.setLocalState({ synced: true, endpoints, blackholes: [], sources: {} });
      await dataplane.endpointReady('cali2', [ADDRESS], AbortSignal.timeout(20_000));
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

const flood = (from: TestNamespace, to: string) => from.exec(['python3', '-c', FLOOD, to]);
const drops = (text: string): number => Number(/dropped (\d+)/.exec(text)?.[1]);

test('a workload receives no more than it may, and nothing is left of a limit that has gone', async () => {
  await using here = await lab();
  const { host } = here;
  await here.limit({ ingress: SLOW });
  await flood(host, ADDRESS);
  const shown = await host.exec(['tc', '-s', 'qdisc', 'show', 'dev', 'cali2', 'root']);
  expect(shown).toContain('qdisc tbf 86: root');
  expect(shown).toContain('rate 100Kbit burst 20000b');
  expect(drops(shown)).toBeGreaterThan(0);
  await here.limit(undefined);
  expect(await host.exec(['tc', 'qdisc', 'show', 'dev', 'cali2'])).not.toMatch(/tbf|ingress/);
  expect(await host.exec(['ping', '-c1', '-W5', ADDRESS])).toContain(' 0% packet loss');
});

test('a workload sends no more than it may, under the same policy and addresses as ever', async () => {
  await using here = await lab();
  const { host, workload } = here;
  await here.limit({ egress: SLOW });
  expect(await workload.exec(['ping', '-c2', '-W5', HOST])).toContain(' 0% packet loss');
  await flood(workload, HOST);
  const shown = await host.exec(['tc', '-s', 'qdisc', 'show', 'dev', 'ovbw2', 'root']);
  expect(drops(shown)).toBeGreaterThan(0);
  // What comes out of the ifb comes from the workload's interface: the guard still knows it.
  await workload.ip('addr', 'add', '10.65.0.99/32', 'dev', 'lo');
  await expect(workload.exec(['ping', '-c1', '-W1', '-I', '10.65.0.99', HOST])).rejects.toThrow();
  await here.limit(undefined);
  expect(await workload.exec(['ping', '-c1', '-W5', HOST])).toContain(' 0% packet loss');
  expect(await host.ip('link', 'show')).not.toContain('ovbw');
});

test('limits that somebody removes are back within a second', async () => {
  await using here = await lab();
  const { host } = here;
  await here.limit({ ingress: SLOW, egress: SLOW });
  const shown = async () => {
    const filters = await host.exec(['tc', 'filter', 'show', 'dev', 'cali2', 'ingress']);
    const qdiscs = await host.exec(['tc', 'qdisc', 'show']);
    return {
      isLed: filters.includes('to device ovbw2'),
      buckets: qdiscs.match(/tbf 86:/g)?.length,
    };
  };
  const whole = { isLed: true, buckets: 2 };
  expect(await shown()).toEqual(whole);
  for (const argv of [
    ['tc', 'qdisc', 'del', 'dev', 'cali2', 'root'],
    ['tc', 'qdisc', 'del', 'dev', 'cali2', 'ingress'],
    ['ip', 'link', 'del', 'ovbw2'],
  ] as const) {
    await host.exec(argv);
    await vi.waitFor(async () => expect(await shown()).toEqual(whole), { timeout: 10_000 });
  }
  expect(here.dataplane.status().failureCount).toBe(0);
});
