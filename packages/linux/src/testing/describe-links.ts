import { parseInterfaceAddress } from '@overland/net';
import { describe, expect, test } from 'vitest';
import { connect, type KernelPair, SOON } from './kernel-pair.ts';

export function describeLinks(makePair: () => Promise<KernelPair>): void {
  describe('links', () => {
    test('a veth has one end here and one in the other namespace, both down', async () => {
      await using pair = await makePair();
      const { kernel, peer, peerNamespace } = pair;
      const made = await kernel.links.createVeth({
        name: 'cali1',
        mac: 'ee:ee:ee:ee:ee:ee',
        mtu: 1400,
        peer: { name: 'eth0', mac: '02:00:00:00:00:42', namespace: peerNamespace },
      });

      const expected = { kind: 'veth', mtu: 1400, up: false, carrier: false };
      expect(made).toMatchObject({ ...expected, name: 'cali1', mac: 'ee:ee:ee:ee:ee:ee' });
      expect(await kernel.links.get('cali1')).toEqual(made);
      expect(await kernel.links.list()).toContainEqual(made);
      expect(await peer.links.get('eth0')).toMatchObject({ ...expected, mac: '02:00:00:00:00:42' });
    });

    test('the two ends of a veth have different numbers', async () => {
      await using pair = await makePair();
      await connect(pair, 1);
      const [near, far] = [await pair.kernel.links.get('eth1'), await pair.peer.links.get('eth1')];
      expect(near?.index).not.toBe(far?.index);
    });

    test('a taken name is EEXIST, and nothing is left behind', async () => {
      await using pair = await makePair();
      await connect(pair, 1);
      const peer = { name: 'eth1', namespace: pair.peerNamespace };
      await expect(
        pair.kernel.links.createVeth({ name: 'other', mtu: 1500, peer }),
      ).rejects.toMatchObject({ code: 'EEXIST' });
      expect(await pair.kernel.links.get('other')).toBeUndefined();
    });

    test('a veth into a namespace that does not exist is ENOENT', async () => {
      await using pair = await makePair();
      const peer = { name: 'eth0', namespace: '/run/netns/does-not-exist' };
      await expect(
        pair.kernel.links.createVeth({ name: 'cali1', mtu: 1500, peer }),
      ).rejects.toMatchObject({ code: 'ENOENT' });
    });

    test('changes are seen; carrier needs both ends up', async () => {
      await using pair = await makePair();
      await connect(pair, 1);
      const { links } = pair.kernel;
      await links.set('eth1', { mtu: 1280, mac: '02:00:00:00:00:99' });
      const changed = { mtu: 1280, mac: '02:00:00:00:00:99', up: true, carrier: true };
      await expect.poll(() => links.get('eth1'), SOON).toMatchObject(changed);
      await pair.peer.links.set('eth1', { up: false });
      await expect.poll(() => links.get('eth1'), SOON).toMatchObject({ up: true, carrier: false });
    });

    test('removing one end removes both; removing what is absent is fine', async () => {
      await using pair = await makePair();
      await connect(pair, 1);
      await pair.kernel.links.remove('eth1');
      await pair.kernel.links.remove('eth1');
      expect(await pair.kernel.links.get('eth1')).toBeUndefined();
      await expect.poll(() => pair.peer.links.get('eth1'), SOON).toBeUndefined();
    });

    test('links that are removed at once are gone, each, and no others', async () => {
      await using pair = await makePair();
      const { kernel, peer, peerNamespace } = pair;
      const names = ['cali1', 'cali2', 'cali3', 'cali4', 'cali5', 'stays'];
      for (const name of names) {
        const far = { name, namespace: peerNamespace };
        await kernel.links.createVeth({ name, mtu: 1500, peer: far });
      }
      const gone = async (name: string) => {
        await kernel.links.remove(name);
        return await kernel.links.get(name);
      };
      const doomed = ['cali1', 'cali2', 'cali3', 'cali4', 'cali5', 'absent'];
      expect(await Promise.all(doomed.map(gone))).toEqual(doomed.map(() => undefined));
      await expect.poll(() => peer.links.get('cali5'), SOON).toBeUndefined();
      expect(await kernel.links.get('stays')).toBeDefined();
      // And can be made again.
      const far = { name: 'cali5', namespace: peerNamespace };
      await kernel.links.createVeth({ name: 'cali5', mtu: 1500, peer: far });
    });

    test('changing a link that does not exist is ENODEV', async () => {
      await using pair = await makePair();
      const { links } = pair.kernel;
      const absent = { code: 'ENODEV' };
      await expect(links.set('absent', { up: true })).rejects.toMatchObject(absent);
      await expect(links.addresses('absent')).rejects.toMatchObject(absent);
      const address = parseInterfaceAddress('10.9.9.9/32');
      await expect(links.addAddress('absent', address)).rejects.toMatchObject(absent);
      await links.removeAddress('absent', address);
    });
  });
  describeAddresses(makePair);
}

function describeAddresses(makePair: () => Promise<KernelPair>): void {
  describe('addresses', () => {
    test.each(['10.9.0.1/24', '10.9.0.2/32', 'fd09::1/64', 'fd09::2/128'])(
      '%s can be added twice and removed twice',
      async (text) => {
        await using pair = await makePair();
        const { links } = pair.kernel;
        const address = parseInterfaceAddress(text);
        await connect(pair, 1);
        const before = await links.addresses('eth1');
        await links.addAddress('eth1', address, { probe: false });
        await links.addAddress('eth1', address, { probe: false });
        expect(await links.addresses('eth1')).toContainEqual(address);
        await links.removeAddress('eth1', address);
        await links.removeAddress('eth1', address);
        expect(await links.addresses('eth1')).not.toContainEqual(address);
        expect(before).toContainEqual(parseInterfaceAddress('10.0.1.0/31'));
      },
    );

    test('a link that goes down keeps its IPv4 addresses and loses its IPv6 ones', async () => {
      await using pair = await makePair();
      await connect(pair, 1);
      await pair.kernel.links.set('eth1', { up: false });
      expect(await pair.kernel.links.addresses('eth1')).toEqual([
        parseInterfaceAddress('10.0.1.0/31'),
      ]);
    });

    test('an address brings the route of its subnet, and takes it along', async () => {
      await using pair = await makePair();
      await connect(pair, 1);
      const destinations = async () => [
        ...(await pair.kernel.routes.list('ipv4')).map((route) => route.destination),
        ...(await pair.kernel.routes.list('ipv6')).map((route) => route.destination),
      ];
      expect(await destinations()).toEqual(expect.arrayContaining(['10.0.1.0/31', 'fd00:1::/127']));
      await pair.kernel.links.removeAddress('eth1', parseInterfaceAddress('10.0.1.0/31'));
      await pair.kernel.links.removeAddress('eth1', parseInterfaceAddress('fd00:1::0/127'));
      expect(await destinations()).not.toContain('10.0.1.0/31');
      expect(await destinations()).not.toContain('fd00:1::/127');
    });
  });
}
