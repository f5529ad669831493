import { parseAddress } from '@overland/net';
import { describe, expect, test } from 'vitest';
import { type NextHopObject, PROTOCOL } from '../ports.ts';
import {
  connect,
  group,
  type KernelPair,
  ourNextHops,
  ourRoutes,
  path,
  SOON,
  viaObject,
} from './kernel-pair.ts';

export function describeNextHopObjects(makePair: () => Promise<KernelPair>): void {
  /** Links 1 and 2; objects 1 and 2 (3 and 4 for IPv6) through them; groups 10 and 20 of both, 11 and 21 of link 1. */
  async function makeEcmp(): Promise<KernelPair> {
    const pair = await makePair();
    await connect(pair, 1);
    await connect(pair, 2);
    const objects = [path(1, 1), path(2, 2), path(3, 1, 'ipv6'), path(4, 2, 'ipv6')];
    const groups = [group(10, 1, 2), group(11, 1), group(20, 3, 4), group(21, 3)];
    const routes = [
      viaObject('10.65.0.0/26', 10),
      viaObject('10.66.0.0/26', 11),
      viaObject('fd65::/122', 20),
      viaObject('fd66::/122', 21),
    ];
    const outcome = await pair.kernel.nextHopObjects.replace([...objects, ...groups]);
    expect([...outcome, ...(await pair.kernel.routes.replace(routes))]).toEqual(
      Array(12).fill(undefined),
    );
    return pair;
  }

  const withoutLink1 = {
    nextHops: ['2 via 10.0.2.1 dev eth2', '4 via fd00:2::1 dev eth2', '10 group 2', '20 group 4'],
    routes: ['10.65.0.0/26 nhid 10', 'fd65::/122 nhid 20'],
  };

  describe('next-hop objects', () => {
    test('paths and groups are read back as they were written', async () => {
      await using pair = await makeEcmp();
      const { nextHopObjects } = pair.kernel;
      expect(await nextHopObjects.list(PROTOCOL.bgp)).toEqual([
        path(1, 1),
        path(2, 2),
        path(3, 1, 'ipv6'),
        path(4, 2, 'ipv6'),
        group(10, 1, 2),
        group(11, 1),
        group(20, 3, 4),
        group(21, 3),
      ]);
      expect(await nextHopObjects.list(PROTOCOL.local)).toEqual([]);
      expect(await nextHopObjects.list()).toHaveLength(8);
    });

    test('a group changes its members while routes use it', async () => {
      await using pair = await makeEcmp();
      const { nextHopObjects } = pair.kernel;
      expect(await nextHopObjects.replace([group(10, 2), group(10, 2)])).toEqual([
        undefined,
        undefined,
      ]);
      expect(await nextHopObjects.list()).toContainEqual(group(10, 2));
      expect(await ourRoutes(pair.kernel)).toContain('10.65.0.0/26 nhid 10');
    });

    test('removing an object takes it from groups, and routes with the last path', async () => {
      await using pair = await makeEcmp();
      expect(await pair.kernel.nextHopObjects.remove([1, 3, 1])).toEqual(Array(3).fill(undefined));
      expect(await ourNextHops(pair.kernel)).toEqual(withoutLink1.nextHops);
      expect(await ourRoutes(pair.kernel)).toEqual(withoutLink1.routes);
    });

    test('a group can be removed with its routes, and its paths stay', async () => {
      await using pair = await makeEcmp();
      await pair.kernel.nextHopObjects.remove([10, 20]);
      expect(await ourRoutes(pair.kernel)).toEqual(['10.66.0.0/26 nhid 11', 'fd66::/122 nhid 21']);
      expect(await ourNextHops(pair.kernel)).toContain('2 via 10.0.2.1 dev eth2');
    });

    test.each(['down', 'removed', 'without carrier'])(
      'a link that is %s takes its paths',
      async (how) => {
        await using pair = await makeEcmp();
        if (how === 'down') await pair.kernel.links.set('eth1', { up: false });
        if (how === 'removed') await pair.kernel.links.remove('eth1');
        if (how === 'without carrier') await pair.peer.links.set('eth1', { up: false });
        await expect.poll(() => ourNextHops(pair.kernel), SOON).toEqual(withoutLink1.nextHops);
        expect(await ourRoutes(pair.kernel)).toEqual(withoutLink1.routes);
      },
    );

    test('what cannot work is refused, item by item', async () => {
      await using pair = await makeEcmp();
      await pair.peer.links.set('eth1', { up: false });
      await expect.poll(() => ourNextHops(pair.kernel), SOON).toHaveLength(4);
      const throughWrongLink: NextHopObject = {
        id: 7,
        protocol: PROTOCOL.bgp,
        content: {
          type: 'path',
          family: 'ipv4',
          nextHop: { address: parseAddress('10.0.1.1'), device: 'eth2' },
        },
      };
      const outcome = await pair.kernel.nextHopObjects.replace([
        path(5, 1),
        path(6, 7),
        throughWrongLink,
        group(12),
        group(13, 4711),
        group(14, 10),
        group(15, 2, 2),
        group(2, 4),
        path(10, 2),
        group(16, 2),
      ]);
      expect(outcome.map((error) => error?.code)).toEqual([
        'ENETDOWN',
        'ENODEV',
        'ENETUNREACH',
        ...Array<string>(6).fill('EINVAL'),
        undefined,
      ]);
    });

    test('IPv4 can be routed over an IPv6 path, not the other way round', async () => {
      await using pair = await makeEcmp();
      const outcome = await pair.kernel.routes.replace([
        viaObject('10.67.0.0/26', 3),
        viaObject('fd67::/122', 1),
      ]);
      expect(outcome.map((error) => error?.code)).toEqual([undefined, 'EINVAL']);
    });
  });
}
