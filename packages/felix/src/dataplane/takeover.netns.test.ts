import { iptablesCommand, openIpSets, openNftables } from '@overland/linux/netfilter';
import { netns, type TestNamespace } from '@overland/linux/testing';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { differenceOf, emptyPolicyState } from '../calc/policy-change.ts';
import { systemClock } from './clock.ts';
import { IptablesPolicy } from './iptables/iptables-policy.ts';
import { takeOver } from './takeover.ts';

/** As Felix writes them, with a rule of somebody else between. */
const CALICO = `*filter
:cali-FORWARD - [0:0]
:cali-from-wl-dispatch - [0:0]
:mine - [0:0]
-A FORWARD -m comment --comment "cali:wUHhoiAYhphO9Mso" -j cali-FORWARD
-A FORWARD -j mine
-A FORWARD -m comment --comment "cali:S93hcgKJrXEqnTfs" -m mark --mark 0x10000/0x10000 -j ACCEPT
-A cali-FORWARD -m comment --comment "cali:8ZoYfO5HKXWbB3pk" -m set --match-set cali40s:abc src -j cali-from-wl-dispatch
-A mine -j RETURN
COMMIT
`;

async function host(variant: 'legacy' | 'nft') {
  const resources = new AsyncDisposableStack();
  const ns: TestNamespace = resources.use(await netns());
  const namespace = ns.path;
  const sets = resources.use(openIpSets({ namespace }));
  const nftables = resources.use(openNftables({ namespace }));
  const iptables = {
    legacy: iptablesCommand('legacy', { namespace }),
    nft: iptablesCommand('nft', { namespace }),
  };
  await ns.exec(['ipset', 'create', 'cali40s:abc', 'hash:net']);
  await ns.exec(['ipset', 'create', 'others', 'hash:net']);
  for (const line of CALICO.split('\n').slice(1, -2)) {
    const args = line.startsWith(':')
      ? ['-N', line.slice(1).split(' ')[0] ?? '']
      : line.replaceAll('"', '').split(' ');
    await ns.exec([`iptables-${variant}`, ...args]);
  }
  await ns.exec(['nft', 'add', 'table', 'ip', 'calico']);
  await ns.exec(['nft', 'add', 'table', 'ip', 'others']);
  const filters = { nftables, iptables, sets };
  return { ns, filters, [Symbol.asyncDispose]: () => resources.disposeAsync() };
}

test.each(['legacy', 'nft'] as const)(
  'what Calico has left is shown, and removed if so asked; nothing of others is: iptables-%s',
  async (variant) => {
    await using net = await host(variant);
    const { ns, filters } = net;
    const rules = () => ns.exec([`iptables-${variant}-save`, '-t', 'filter']);
    const found = [
      { kind: 'iptables', variant, family: 'ipv4', table: 'filter', chains: 2, rules: 2 },
      { kind: 'nftables', table: 'ip calico' },
      { kind: 'ipset', name: 'cali40s:abc' },
    ];
    const before = await rules();
    expect(await takeOver(filters, false)).toEqual({ leftovers: found, refusals: [] });
    const withoutCounters = (text: string) => text.replaceAll(/\[\d+:\d+\]|^#.*$/gm, '');
    expect(withoutCounters(await rules())).toBe(withoutCounters(before));

    expect(await takeOver(filters, true)).toEqual({ leftovers: found, refusals: [] });
    expect(await rules()).not.toContain('cali');
    expect(await rules()).toContain('-A FORWARD -j mine');
    expect(await ns.exec(['ipset', 'list', '-n'])).toBe('others\n');
    expect(await ns.exec(['nft', 'list', 'tables'])).toMatch(/table ip others/);
    expect(await ns.exec(['nft', 'list', 'tables'])).not.toContain('calico');
    expect(await takeOver(filters, true)).toEqual({ leftovers: [], refusals: [] });
  },
);

test('chains that our own backend has written stay, whatever their names', async () => {
  await using net = await host('legacy');
  const { ns, filters } = net;
  const policy = new IptablesPolicy({
    iptables: filters.iptables.legacy,
    sets: filters.sets,
    clock: systemClock,
    log: pino({ level: 'silent' }),
  });
  policy.accept(differenceOf(emptyPolicyState(), emptyPolicyState(), true));
  await policy.reconcile();
  await takeOver(filters, true);
  const rules = await ns.exec(['iptables-legacy-save', '-t', 'filter']);
  expect(rules).toContain('-j cali-FORWARD');
  expect(rules).not.toContain('cali:wUHhoiAYhphO9Mso');
  policy.doubt();
  expect(await policy.reconcile()).toBe(false);
});
