import { describe, expect, test } from 'vitest';
import { describeLinks } from './describe-links.ts';
import { describeMonitor } from './describe-monitor.ts';
import { describeNeighbours } from './describe-neighbours.ts';
import { describeNextHopObjects } from './describe-next-hop-objects.ts';
import { describeRoutes } from './describe-routes.ts';
import { describeTrafficControl } from './describe-traffic-control.ts';
import { connect, type KernelPair } from './kernel-pair.ts';

/**
 * What every {@link Kernel} must do: run on the fake and on the real one, so that a test on the fake means something.
 *
 * @param makePair Makes two namespaces that nothing else uses, with loopback alone.
 */
export function describeKernel(name: string, makePair: () => Promise<KernelPair>): void {
  describe(name, () => {
    describeLinks(makePair);
    describeRoutes(makePair);
    describeNextHopObjects(makePair);
    describeNeighbours(makePair);
    describeTrafficControl(makePair);
    describeMonitor(makePair);
    describeSysctls(makePair);
  });
}

function describeSysctls(makePair: () => Promise<KernelPair>): void {
  describe('sysctls', () => {
    test('belong to one namespace', async () => {
      await using pair = await makePair();
      const key = 'net.ipv4.ip_forward';
      await pair.kernel.sysctls.set(key, '1');
      expect(await pair.kernel.sysctls.get(key)).toBe('1');
      expect(await pair.peer.sysctls.get(key)).toBe('0');
    });

    test('of an interface exist with it', async () => {
      await using pair = await makePair();
      const { sysctls } = pair.kernel;
      const peer = { name: 'eth0', namespace: pair.peerNamespace };
      const key = 'net.ipv6.conf.cali1/100.proxy_ndp';
      expect(await sysctls.get(key)).toBeUndefined();
      await pair.kernel.links.createVeth({ name: 'cali1.100', mtu: 1500, peer });
      await sysctls.set(key, '1');
      expect(await sysctls.get(key)).toBe('1');
    });

    test('that the kernel does not have read as undefined and cannot be set', async () => {
      await using pair = await makePair();
      const { sysctls } = pair.kernel;
      await connect(pair, 1);
      expect(await sysctls.get('net.ipv4.no_such_setting')).toBeUndefined();
      await expect(sysctls.set('net.ipv4.no_such_setting', '1')).rejects.toMatchObject({
        code: 'ENOENT',
      });
      await expect(sysctls.set('net.ipv4.ip_forward', 'yes')).rejects.toMatchObject({
        code: 'EINVAL',
      });
    });
  });
}
