import { expect, test } from 'vitest';
import {
  applyHostSysctls,
  checkHostSysctls,
  hostSysctls,
  restoreHostSysctls,
} from './host-sysctls.ts';
import { fakeKernel } from './testing/fake-kernel.ts';

async function hostWithUplink() {
  const kernel = fakeKernel();
  kernel.addNamespace('/run/netns/leaf');
  const peer = { name: 'host1', namespace: '/run/netns/leaf' };
  await kernel.links.createVeth({ name: 'bond0.100', mtu: 1500, peer });
  kernel.operations.length = 0;
  return kernel;
}

const statesOf = (findings: readonly { readonly key: string; readonly state: string }[]) =>
  Object.fromEntries(findings.map(({ key, state }) => [key, state]));

test('applying twice is the same as once', async () => {
  const { sysctls, operations } = await hostWithUplink();
  const first = await applyHostSysctls(sysctls, ['bond0.100']);
  expect(statesOf(first.findings)).toMatchObject({
    'net.ipv4.ip_forward': 'changed',
    'net.ipv4.conf.bond0/100.rp_filter': 'changed',
    'net.netfilter.nf_conntrack_max': 'missing',
  });
  const written = operations.length;
  expect((await applyHostSysctls(sysctls, ['bond0.100'])).changes).toEqual([]);
  expect(operations).toHaveLength(written);
  const states = new Set(Object.values(statesOf(await checkHostSysctls(sysctls, ['bond0.100']))));
  expect(states).toEqual(new Set(['ok', 'missing']));
});

test('checking changes nothing', async () => {
  const { sysctls, operations } = await hostWithUplink();
  const findings = await checkHostSysctls(sysctls, ['bond0.100']);
  expect(statesOf(findings)['net.ipv4.ip_forward']).toBe('differs');
  expect(operations).toEqual([]);
});

test('a larger limit than ours is left alone', async () => {
  const kernel = await hostWithUplink();
  const key = 'net.ipv4.neigh.default.gc_thresh3';
  kernel.settings.set(key, '1000000');
  const { findings, changes } = await applyHostSysctls(kernel.sysctls, []);
  expect(statesOf(findings)[key]).toBe('ok');
  expect(changes.map((change) => change.key)).not.toContain(key);
});

test('a refusal is a finding and does not stop the others', async () => {
  const kernel = await hostWithUplink();
  kernel.refuse = (operation) => (operation.includes('ip_forward') ? 'EROFS' : undefined);
  const { findings, changes } = await applyHostSysctls(kernel.sysctls, []);
  expect(findings[0]).toMatchObject({
    key: 'net.ipv4.ip_forward',
    state: 'refused',
    code: 'EROFS',
  });
  expect(changes.length).toBeGreaterThan(5);
});

test('restoring gives back what was there, and keeps what others have changed since', async () => {
  const { sysctls } = await hostWithUplink();
  const { changes } = await applyHostSysctls(sysctls, ['bond0.100']);
  await sysctls.set('net.ipv4.conf.bond0/100.rp_filter', '0');
  const left = await restoreHostSysctls(sysctls, JSON.parse(JSON.stringify(changes)));
  expect(left).toEqual(['net.ipv4.conf.bond0/100.rp_filter']);
  expect(await sysctls.get('net.ipv4.ip_forward')).toBe('0');
  expect(await sysctls.get('net.ipv6.conf.bond0/100.accept_ra')).toBe('1');
});

test('router advertisements are accepted before IPv6 forwarding is turned on', () => {
  const keys = hostSysctls(['eth1', 'eth2']).map(({ key }) => key);
  const forwarding = keys.indexOf('net.ipv6.conf.all.forwarding');
  expect(keys.indexOf('net.ipv6.conf.eth1.accept_ra')).toBeLessThan(forwarding);
  expect(keys.indexOf('net.ipv6.conf.eth2.accept_ra')).toBeLessThan(forwarding);
});
