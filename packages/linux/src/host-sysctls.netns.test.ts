import { expect, test } from 'vitest';
import { applyHostSysctls, checkHostSysctls, restoreHostSysctls } from './host-sysctls.ts';
import { openKernel } from './kernel/open-kernel.ts';
import { cable, netns } from './testing/netns.ts';

test('the kernel accepts every setting that it has, and gives it back', async () => {
  await using host = await netns();
  await using leaf = await netns();
  await cable({ namespace: host, device: 'eth1' }, { namespace: leaf, device: 'host1' });
  await using kernel = openKernel({ namespace: host.path });
  const before = await checkHostSysctls(kernel.sysctls, ['eth1']);

  const { findings, changes } = await applyHostSysctls(kernel.sysctls, ['eth1']);
  expect(findings.filter(({ state }) => state === 'refused')).toEqual([]);
  expect(changes.map(({ key }) => key)).toEqual(
    expect.arrayContaining([
      'net.ipv4.ip_forward',
      'net.ipv4.nexthop_compat_mode',
      'net.ipv6.conf.eth1.accept_ra',
      'net.ipv4.conf.eth1.rp_filter',
    ]),
  );
  const states = (await checkHostSysctls(kernel.sysctls, ['eth1'])).map(({ state }) => state);
  expect(states).not.toContain('differs');
  expect(await host.exec(['cat', '/proc/sys/net/ipv4/fib_multipath_hash_policy'])).toBe('1\n');

  expect(await restoreHostSysctls(kernel.sysctls, changes)).toEqual([]);
  expect(await checkHostSysctls(kernel.sysctls, ['eth1'])).toEqual(before);
});
