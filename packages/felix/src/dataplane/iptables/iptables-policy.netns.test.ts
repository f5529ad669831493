import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Iptables, type IptablesVariant, runInNamespace } from '@overland/linux';
import {
  iptablesCommand,
  openFlowEvents,
  openIpSets,
  openNftables,
  readPacketHeader,
} from '@overland/linux/netfilter';
import { cable, netns, type TestNamespace } from '@overland/linux/testing';
import { parsePrefix } from '@overland/net';
import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
import { anySide, openRule, outgoingBy } from '../../../test/open-policy.ts';
import { hostRulesOf } from '../../calc/policy/host-rules.ts';
import { differenceOf, emptyPolicyState } from '../../calc/policy-change.ts';
import type { PolicyState } from '../../calc/policy-state.ts';
import { DENIED_GROUP } from '../../flows/denied-group.ts';
import { systemClock } from '../clock.ts';
import { packetFilters } from '../packet-filters.ts';
import { IptablesPolicy } from './iptables-policy.ts';

const log = pino({ level: 'silent' });

const VARIANTS: readonly IptablesVariant[] = ['legacy', 'nft'];
/** A workload that may open connections to everybody, and that nobody may open one to. */
const CLOSED: PolicyState = {
  ...outgoingBy({ ...openRule, source: { ...anySide, sets: ['s:clients'] } }),
  sets: new Map([['s:clients', { kind: 'nets', members: new Set(['0.0.0.0/0', '10.65.0.0/16']) }]]),
};

/** A host with a workload behind `cali1`, a container of Docker behind `docker0`, and somebody outside. */
async function host(variant: IptablesVariant) {
  await using stack = new AsyncDisposableStack();
  const router = stack.use(await netns());
  await router.exec(['sysctl', '-q', '-w', 'net.ipv4.ip_forward=1']);
  const places = new Map<string, TestNamespace>();
  for (const [i, device] of ['cali1', 'docker0', 'eth9'].entries()) {
    const ns = stack.use(await netns());
    const at = { namespace: router, device, addresses: [`10.65.${i}.254/24`] };
    await cable(at, { namespace: ns, device: 'eth0', addresses: [`10.65.${i}.1/24`] });
    await ns.ip('route', 'add', 'default', 'via', `10.65.${i}.254`);
    places.set(device, ns);
  }
  const sets = stack.use(openIpSets({ namespace: router.path }));
  const iptables = iptablesCommand(variant, { namespace: router.path });
  const kept = stack.move();
  let writes = 0;
  const counted: Iptables = {
    ...iptables,
    transact(...args) {
      writes += 1;
      return iptables.transact(...args);
    },
  };
  return {
    router,
    iptables,
    sets,
    writes: () => writes,
    start: () => new IptablesPolicy({ iptables: counted, sets, clock: systemClock, log }),
    place(device: string): TestNamespace {
      const found = places.get(device);
      if (!found) throw new Error(`nobody is behind ${device}`);
      return found;
    },
    /** Whether a ping gets through and its answer comes back. */
    async reaches(from: string, to: number): Promise<boolean> {
      const ping = ['ping', '-q', '-c', '1', '-W', '1', `10.65.${to}.1`] as const;
      return await (places.get(from)?.exec(ping) ?? Promise.reject()).then(
        () => true,
        () => false,
      );
    },
    save: async () =>
      (await router.exec([`iptables-${variant}-save`])).replaceAll(/^#.*|\[\d+:\d+\]/gm, ''),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

describe.each(VARIANTS)('iptables-%s', (variant) => {
  test('after a restart nothing is written; what somebody else changes is put right', async () => {
    await using one = await host(variant);
    const told = differenceOf(emptyPolicyState(), CLOSED, true);
    const first = one.start();
    first.accept(told);
    await first.reconcile();
    const saved = await one.save();
    const writes = one.writes();

    const policy = one.start();
    policy.accept(told);
    await policy.reconcile();
    policy.doubt();
    await policy.reconcile();
    expect(one.writes()).toBe(writes);

    const [name = ''] = (await one.sets.list()).map((set) => set.name);
    const members = await one.sets.members(name);
    await one.sets.change(name, { add: ['192.0.2.1'], remove: ['10.65.0.0/16'] });
    await one.router.exec([`iptables-${variant}`, '-F', 'FORWARD']);
    await one.router.exec([`iptables-${variant}`, '-I', 'cali-tw-cali1', '-j', 'ACCEPT']);
    await one.router.exec([`iptables-${variant}`, '-D', 'cali-from-wl-dispatch', '1']);
    policy.doubt();
    await policy.reconcile();
    expect(await one.save()).toBe(saved);
    expect(await one.sets.members(name)).toEqual(members);
    expect(policy.counts().repairs).toBeGreaterThan(2);

    policy.accept(differenceOf(CLOSED, emptyPolicyState(), true));
    await policy.reconcile();
    expect(await one.save()).not.toContain('cali1');
    expect(await one.sets.list()).toEqual([]);
  });

  test('changes of rules by somebody else are told, and put right', async () => {
    await using one = await host(variant);
    using nftables = openNftables({ namespace: one.router.path });
    const filters = packetFilters({
      nftables,
      iptables: { legacy: one.iptables, nft: one.iptables },
      sets: one.sets,
      log,
    });
    const policy = filters.make({ filter: `iptables-${variant}`, insertMode: 'Insert' });
    policy.accept(differenceOf(emptyPolicyState(), CLOSED, true));
    await policy.reconcile();
    const saved = await one.save();
    const stop = new AbortController();
    const repaired = (async () => {
      for await (const what of policy.foreignChanges(stop.signal)) {
        policy.doubt();
        if ((await policy.reconcile()) && (await one.save()) === saved) return what;
      }
      return undefined;
    })();
    await one.router.exec([`iptables-${variant}`, '-D', 'cali-from-wl-dispatch', '1']);
    expect(await repaired).toBe('tables');
    stop.abort();
  });

  test('who listens is told of what is denied', async () => {
    await using one = await host(variant);
    const policy = one.start();
    policy.accept(differenceOf(emptyPolicyState(), CLOSED, true));
    await policy.reconcile();
    const told: unknown[] = [];
    using _ = runInNamespace(one.router.path, () =>
      openFlowEvents({
        logGroup: DENIED_GROUP,
        copyOctets: 128,
        logged: ({ octets }) => told.push(readPacketHeader(octets)?.destination),
        began: () => undefined,
        ended: () => undefined,
        lost: () => undefined,
        failed: () => undefined,
      }),
    );
    expect(await one.reaches('eth9', 0)).toBe(false);
    await expect.poll(() => told, { timeout: 10_000 }).toContain('10.65.0.1');
  });

  test('a workload is itself, and leaves under an address of the host', async () => {
    await using one = await host(variant);
    const pool = parsePrefix('10.65.0.0/24');
    const outgoingNat = {
      sources: [pool],
      exempt: [pool],
      address: undefined,
      ports: undefined,
      interfaces: undefined,
    };
    const rules = { ...hostRulesOf({}), endpoints: [] };
    const filter = { ...rules, outgoingNat };
    const policy = one.start();
    policy.accept(differenceOf(emptyPolicyState(), { ...CLOSED, host: filter }, true));
    await policy.reconcile();
    // Nobody outside knows the way back to the pool.
    await one.place('eth9').ip('route', 'del', 'default');
    expect(await one.reaches('cali1', 2)).toBe(true);
    const workload = one.place('cali1');
    await workload.ip('address', 'add', '10.65.0.77/24', 'dev', 'eth0');
    const ping = ['ping', '-q', '-c', '1', '-W', '1'] as const;
    const spoofed = workload.exec([...ping, '-I', '10.65.0.77', '10.65.2.1']);
    await expect(spoofed).rejects.toThrow();
    // The same with an address of its own, once more.
    await workload.exec([...ping, '-I', '10.65.0.1', '10.65.2.1']);
    policy.accept(differenceOf({ ...CLOSED, host: filter }, { ...CLOSED, host: rules }, true));
    await policy.reconcile();
    expect(await one.save()).not.toContain('cali-nat-outgoing');
  });

  test('beside Docker, each decides about its own', async () => {
    await using one = await host(variant);
    await dockerRules(one.router, variant);
    expect(await one.reaches('cali1', 2)).toBe(false);
    const policy = one.start();
    policy.accept(differenceOf(emptyPolicyState(), CLOSED, true));
    await policy.reconcile();
    const expectAsTold = async () => {
      const ways = [
        // Docker drops what nobody has allowed, and we have allowed this.
        ['cali1', 2, true],
        ['eth9', 0, false],
        // Docker opens nothing to a workload, and a workload gets to no port that Docker has not published.
        ['docker0', 0, false],
        ['cali1', 1, false],
        ['docker0', 2, true],
      ] as const;
      const found = await Promise.all(ways.map(([from, to]) => one.reaches(from, to)));
      expect(found).toEqual(ways.map(([, , expected]) => expected));
    };
    await expectAsTold();
    // Docker starts again: its rules are first.
    await dockerRules(one.router, variant);
    const foreign = (await one.save()).split('\n').filter((line) => line.includes('DOCKER'));
    policy.doubt();
    expect(await policy.reconcile()).toBe(true);
    const forward = (await one.iptables.read('ipv4', 'filter')).get('FORWARD') ?? [];
    expect(forward[0]).toContain('-j cali-FORWARD');
    expect((await one.save()).split('\n').filter((line) => line.includes('DOCKER'))).toEqual(
      foreign,
    );
    await expectAsTold();
  });
});

/** What Docker 28 has in the table, written as it does: its chains anew, the way to them before all others. */
async function dockerRules(router: TestNamespace, variant: IptablesVariant): Promise<void> {
  const rules = `*filter
:FORWARD DROP [0:0]
:DOCKER - [0:0]
:DOCKER-BRIDGE - [0:0]
:DOCKER-CT - [0:0]
:DOCKER-FORWARD - [0:0]
:DOCKER-USER - [0:0]
-I FORWARD 1 -j DOCKER-FORWARD
-I FORWARD 1 -j DOCKER-USER
-A DOCKER ! -i docker0 -o docker0 -j DROP
-A DOCKER-BRIDGE -o docker0 -j DOCKER
-A DOCKER-CT -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A DOCKER-FORWARD -j DOCKER-CT
-A DOCKER-FORWARD -j DOCKER-BRIDGE
-A DOCKER-FORWARD -i docker0 -j ACCEPT
COMMIT
`;
  const directory = await mkdtemp(join(tmpdir(), 'docker-'));
  const file = join(directory, 'rules');
  await writeFile(file, rules);
  await router.exec(['sh', '-c', `iptables-${variant}-restore --noflush < ${file}`]);
  await rm(directory, { recursive: true });
}
