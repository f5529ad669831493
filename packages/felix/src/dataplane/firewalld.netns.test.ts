import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { iptablesCommand, openIpSets, openNftables } from '@overland/linux/netfilter';
import { cable, netns, type TestNamespace } from '@overland/linux/testing';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { openRule, outgoingBy } from '../../test/open-policy.ts';
import type { PacketFilter } from '../calc/filter-choice.ts';
import { differenceOf, emptyPolicyState } from '../calc/policy-change.ts';
import { packetFilters } from './packet-filters.ts';

const TIMEOUT_MS = 60_000;

/** A workload that may open connections to everybody, and that nobody may open one to. */
const STATE = outgoingBy(openRule);

const cleanup = new AsyncDisposableStack();
let router: TestNamespace;
const places = new Map<string, TestNamespace>();

/** The programs are told to end, and have ended. */
function start(argv: readonly [string, ...string[]]): void {
  const [program, ...args] = argv;
  const child: ChildProcess = spawn(program, args, { stdio: 'ignore' });
  cleanup.defer(async () => {
    if (child.exitCode !== null) return;
    child.kill();
    await once(child, 'exit');
  });
}

const firewall = (...args: string[]) => router.exec(['firewall-cmd', ...args]);

beforeAll(async () => {
  router = cleanup.use(await netns());
  await router.exec(['sysctl', '-q', '-w', 'net.ipv4.ip_forward=1']);
  for (const [i, device] of ['cali1', 'eth9'].entries()) {
    const ns = cleanup.use(await netns());
    const at = { namespace: router, device, addresses: [`10.65.${i}.254/24`] };
    await cable(at, { namespace: ns, device: 'eth0', addresses: [`10.65.${i}.1/24`] });
    await ns.ip('route', 'add', 'default', 'via', `10.65.${i}.254`);
    places.set(device, ns);
  }
  await mkdir('/run/dbus', { recursive: true });
  await mkdir('/run/firewalld', { recursive: true });
  start(['dbus-daemon', '--system', '--nofork', '--nopidfile', '--nosyslog']);
  start(['ip', 'netns', 'exec', router.name, 'firewalld', '--nofork', '--nopid']);
  await vi.waitFor(() => firewall('--state'), { timeout: 30_000, interval: 100 });
}, TIMEOUT_MS);
afterAll(() => cleanup.disposeAsync(), TIMEOUT_MS);

async function reaches(from: string, to: number): Promise<boolean> {
  const ping = ['ping', '-q', '-c', '1', '-W', '1', `10.65.${to}.1`] as const;
  return await (places.get(from)?.exec(ping) ?? Promise.reject()).then(
    () => true,
    () => false,
  );
}

const theirs = () => router.exec(['nft', '-s', 'list', 'table', 'inet', 'firewalld']);

test.each<PacketFilter>(['nftables', 'iptables-nft'])(
  'beside firewalld, policy in %s and the zones are asked, and neither touches the other',
  {
    timeout: TIMEOUT_MS,
  },
  async (filter) => {
    using opened = new DisposableStack();
    const { path: namespace } = router;
    const filters = packetFilters({
      nftables: opened.use(openNftables({ namespace })),
      sets: opened.use(openIpSets({ namespace })),
      iptables: {
        legacy: iptablesCommand('legacy', { namespace }),
        nft: iptablesCommand('nft', { namespace }),
      },
      log: pino({ level: 'silent' }),
    });
    await firewall('--reload');
    const before = await theirs();
    const policy = filters.make({ filter, insertMode: 'Insert' });
    policy.accept(differenceOf(emptyPolicyState(), STATE, true));
    await policy.reconcile();
    expect(await theirs()).toBe(before);
    // What policy allows, a zone may still refuse.
    expect(await reaches('cali1', 1)).toBe(false);
    await firewall('--zone=trusted', '--add-interface=cali+');
    await firewall('--zone=trusted', '--add-interface=eth9');
    expect(await reaches('cali1', 1)).toBe(true);
    // And what a zone allows, policy may deny.
    expect(await reaches('eth9', 0)).toBe(false);
    // It forgets what was not permanent, and empties iptables of everything, whoever has put it there.
    await firewall('--reload');
    policy.doubt();
    expect(await policy.reconcile()).toBe(filter !== 'nftables');
    expect(await reaches('eth9', 0)).toBe(false);
    await filters.remove(filter);
    expect(await theirs()).toBe(before);
  },
);
