import { parseAddress, parseInterfaceAddress } from '@overland/net';
import { describe, expect, test } from 'vitest';
import { connect, type KernelPair, SOON } from './kernel-pair.ts';

export function describeNeighbours(makePair: () => Promise<KernelPair>): void {
  describe('neighbours', () => {
    test.each(['10.0.1.1', 'fd00:1::1'])('%s is permanent until it is removed', async (text) => {
      await using pair = await makePair();
      await connect(pair, 1);
      const { neighbours } = pair.kernel;
      const address = parseAddress(text);
      const ours = async () =>
        (await neighbours.list('eth1')).filter((neighbour) => neighbour.address === address);

      await neighbours.replace({ device: 'eth1', address, mac: '02:00:00:00:00:01' });
      await neighbours.replace({ device: 'eth1', address, mac: '02:00:00:00:00:02' });
      expect(await ours()).toEqual([
        { device: 'eth1', address, mac: '02:00:00:00:00:02', state: 'permanent' },
      ]);
      expect(await neighbours.list('lo')).toEqual([]);

      await neighbours.remove('eth1', address);
      await neighbours.remove('eth1', address);
      expect(await ours()).toEqual([]);
    });

    test.each([
      ['10.0.1.1', 'reachable'],
      ['fd00:1::1', 'reachable'],
      ['10.7.0.9', 'failed'],
    ])('a probe of %s says %s', async (text, state) => {
      await using pair = await makePair();
      await connect(pair, 1);
      const { neighbours, links } = pair.kernel;
      await links.addAddress('eth1', parseInterfaceAddress('10.7.0.1/24'));
      const address = parseAddress(text);
      // Again and again: the link has no address to ask from until its link-local one is confirmed.
      const probed = async () => {
        const found = await neighbours.list('eth1');
        const now = found.find((neighbour) => neighbour.address === address)?.state;
        if (now !== state) await neighbours.probe('eth1', address);
        return now;
      };
      await expect.poll(probed, SOON).toBe(state);
    });

    test('they go with their link', async () => {
      await using pair = await makePair();
      await connect(pair, 1);
      const { neighbours, links } = pair.kernel;
      const address = parseAddress('10.0.1.1');
      await neighbours.replace({ device: 'eth1', address, mac: '02:00:00:00:00:01' });
      await links.set('eth1', { up: false });
      expect(await neighbours.list('eth1')).toEqual([]);
    });

    test.each(['169.254.1.1', 'fd65::1'])('we can answer for %s', async (text) => {
      await using pair = await makePair();
      await connect(pair, 1);
      const { neighbours } = pair.kernel;
      const proxy = { device: 'eth1', address: parseAddress(text) };
      await neighbours.addProxy(proxy.device, proxy.address);
      await neighbours.addProxy(proxy.device, proxy.address);
      expect(await neighbours.listProxies()).toEqual([proxy]);
      expect(await neighbours.listProxies('lo')).toEqual([]);
      await neighbours.removeProxy(proxy.device, proxy.address);
      await neighbours.removeProxy(proxy.device, proxy.address);
      expect(await neighbours.listProxies('eth1')).toEqual([]);
    });

    test('a device that does not exist is ENODEV to add, and nothing to remove', async () => {
      await using pair = await makePair();
      const { neighbours } = pair.kernel;
      const address = parseAddress('10.0.1.1');
      const mac = '02:00:00:00:00:01';
      await expect(neighbours.replace({ device: 'eth9', address, mac })).rejects.toMatchObject({
        code: 'ENODEV',
      });
      await expect(neighbours.probe('eth9', address)).rejects.toMatchObject({ code: 'ENODEV' });
      await expect(neighbours.addProxy('eth9', address)).rejects.toMatchObject({ code: 'ENODEV' });
      await neighbours.remove('eth9', address);
      await neighbours.removeProxy('eth9', address);
    });
  });
}
