import { packRoutes, parseAddress, parseInterfaceAddress, parsePrefix } from '@overland/net';
import { describe, expect, test } from 'vitest';
import { type PackedRoutes, PROTOCOL } from '../ports.ts';
import {
  connect,
  group,
  type KernelPair,
  ourRoutes,
  path,
  route,
  SOON,
  viaGateway,
} from './kernel-pair.ts';

export function describeRoutes(makePair: () => Promise<KernelPair>): void {
  describe('routes', () => {
    test.each([
      route('10.65.0.0/26', { type: 'blackhole' }),
      route('fd65::/122', { type: 'blackhole' }),
      route('10.65.0.2/32', { type: 'device', device: 'eth1' }),
      route('fd65::2/128', { type: 'device', device: 'eth1' }),
      viaGateway('10.66.0.0/16', '10.0.1.1', 'eth1'),
      viaGateway('fd66::/48', 'fd00:1::1', 'eth1'),
      viaGateway('0.0.0.0/0', '10.0.1.1', 'eth1'),
      viaGateway('::/0', 'fd00:1::1', 'eth1'),
      { ...viaGateway('10.67.0.0/16', '10.0.1.1', 'eth1'), source: parseAddress('10.0.1.0') },
      { ...viaGateway('fd67::/48', 'fd00:1::1', 'eth1'), source: parseAddress('fd00:1::') },
    ])('$destination as $target.type is read back as it was written', async (wanted) => {
      await using pair = await makePair();
      await connect(pair, 1);
      const { routes } = pair.kernel;
      expect(await routes.replace([wanted, wanted])).toEqual([undefined, undefined]);
      const family = wanted.destination.includes(':') ? 'ipv6' : 'ipv4';
      expect(await routes.list(family, PROTOCOL.bgp)).toEqual([wanted]);
      expect(await routes.remove([wanted, wanted])).toEqual([undefined, undefined]);
      expect(await routes.list(family, PROTOCOL.bgp)).toEqual([]);
    });

    test('a namespace without routes has an empty list', async () => {
      await using pair = await makePair();
      expect(await pair.kernel.routes.list('ipv4')).toEqual([]);
    });

    test.each(['10.65.0.0/26', 'fd65::/122'])('%s changes its target in place', async (text) => {
      await using pair = await makePair();
      await connect(pair, 1);
      const { routes } = pair.kernel;
      await routes.replace([route(text, { type: 'blackhole' })]);
      await routes.replace([route(text, { type: 'device', device: 'eth1' })]);
      expect(await ourRoutes(pair.kernel)).toEqual([`${text} dev eth1`]);
    });

    test('routes of one destination with different metrics live side by side', async () => {
      await using pair = await makePair();
      const { routes } = pair.kernel;
      const preferred = { ...route('10.65.0.0/26', { type: 'blackhole' }), metric: 10 };
      const other = { ...preferred, metric: 20 };
      await routes.replace([preferred, other]);
      expect(await routes.list('ipv4', PROTOCOL.bgp)).toEqual([preferred, other]);
      await routes.remove([preferred]);
      expect(await routes.list('ipv4', PROTOCOL.bgp)).toEqual([other]);
    });

    test('an IPv6 metric of 0 is the kernel’s default, 1024', async () => {
      await using pair = await makePair();
      const { routes } = pair.kernel;
      const wanted = { ...route('fd65::/122', { type: 'blackhole' }), metric: 0 };
      await routes.replace([wanted]);
      expect(await routes.list('ipv6', PROTOCOL.bgp)).toEqual([{ ...wanted, metric: 1024 }]);
      await routes.remove([wanted]);
      expect(await routes.list('ipv6', PROTOCOL.bgp)).toEqual([]);
    });

    test('the list is filtered by protocol, and so is removal', async () => {
      await using pair = await makePair();
      const { routes } = pair.kernel;
      const learned = route('10.65.0.0/26', { type: 'blackhole' });
      const own = { ...route('10.66.0.0/26', { type: 'blackhole' }), protocol: PROTOCOL.local };
      await routes.replace([learned, own]);
      await routes.remove([{ ...own, protocol: PROTOCOL.bgp }]);
      expect(await routes.list('ipv4', PROTOCOL.bgp)).toEqual([learned]);
      expect(await routes.list('ipv4', PROTOCOL.local)).toEqual([own]);
      expect(await routes.list('ipv4')).toEqual([learned, own]);
    });
  });
  describePacked(makePair);
  describeRefusals(makePair);
  describeLoss(makePair);
}

function describePacked(makePair: () => Promise<KernelPair>): void {
  describe('packed routes', () => {
    test.each([
      ['ipv4', ['10.65.0.0/26', '10.66.0.0/16', '0.0.0.0/0']],
      ['ipv6', ['fd65::/122', 'fd66::/48', '::/0']],
    ] as const)('%s: added, replaced and removed', async (family, texts) => {
      await using pair = await makePair();
      await connect(pair, 1);
      const { routes, nextHopObjects } = pair.kernel;
      await nextHopObjects.replace([path(1, 1, family), group(2, 1)]);
      const packed = (...ids: number[]): PackedRoutes => {
        const changes = ids.map((id, i) => ({
          prefix: parsePrefix(texts[i] ?? ''),
          nextHopSet: id,
        }));
        const records = packRoutes(family, changes);
        return { family, metric: 1024, protocol: PROTOCOL.bgp, records };
      };
      expect([...(await routes.replacePacked(packed(1, 1, 1)))]).toEqual([]);
      const outcome = await routes.replacePacked(packed(2, 4711, 0));
      expect(Array.from(outcome, ([at, { code, operation }]) => [at, code, operation])).toEqual([
        [1, 'EINVAL', `replace route ${texts[1]}`],
      ]);
      expect((await ourRoutes(pair.kernel)).toSorted()).toEqual(
        [`${texts[0]} nhid 2`, `${texts[1]} nhid 1`, `${texts[2]} blackhole`].toSorted(),
      );
      expect([...(await routes.removePacked(packed(0, 1)))]).toEqual([]);
      expect([...(await routes.removePacked(packed(0, 1)))]).toEqual([]);
      expect(await ourRoutes(pair.kernel)).toEqual([`${texts[2]} blackhole`]);
    });

    test('more than one netlink buffer holds', async () => {
      await using pair = await makePair();
      const changes = Array.from({ length: 600 }, (_, i) => ({
        prefix: parsePrefix(`10.70.${i >> 8}.${i & 255}/32`),
        nextHopSet: i % 2 === 0 ? 0 : 4711,
      }));
      const family = 'ipv4';
      const records = packRoutes(family, changes);
      const packed = { family, metric: 1024, protocol: PROTOCOL.bgp, records } as const;
      const outcome = await pair.kernel.routes.replacePacked(packed);
      expect([...outcome.keys()]).toEqual(Array.from({ length: 300 }, (_, i) => 2 * i + 1));
      expect(await pair.kernel.routes.list('ipv4', PROTOCOL.bgp)).toHaveLength(300);
    });
  });
}

function describeRefusals(makePair: () => Promise<KernelPair>): void {
  describe('routes that are refused', () => {
    test('one failure in a batch does not stop the others', async () => {
      await using pair = await makePair();
      await connect(pair, 1);
      const outcome = await pair.kernel.routes.replace([
        route('10.65.1.0/26', { type: 'blackhole' }),
        route('10.65.2.0/26', { type: 'device', device: 'absent' }),
        route('10.65.3.0/26', { type: 'next-hop-object', id: 4711 }),
        viaGateway('10.65.4.0/26', '192.0.2.1', 'eth1'),
        viaGateway('fd65:4::/122', '2001:db8::1', 'eth1'),
        {
          ...route('10.65.5.0/26', { type: 'device', device: 'eth1' }),
          source: parseAddress('192.0.2.1'),
        },
        route('fd65::/122', { type: 'blackhole' }),
      ]);
      expect(outcome.map((error) => error?.code)).toEqual([
        undefined,
        'ENODEV',
        'EINVAL',
        'ENETUNREACH',
        'EHOSTUNREACH',
        'EINVAL',
        undefined,
      ]);
      expect(outcome[3]?.operation).toBe('replace route 10.65.4.0/26');
      expect(await ourRoutes(pair.kernel)).toEqual([
        '10.65.1.0/26 blackhole',
        'fd65::/122 blackhole',
      ]);
    });

    test('a batch larger than one netlink buffer has an outcome for every item', async () => {
      await using pair = await makePair();
      await connect(pair, 1);
      const wanted = Array.from({ length: 600 }, (_, i) =>
        route(`10.70.${i >> 8}.${i & 255}/32`, {
          type: 'device',
          device: i % 2 === 0 ? 'eth1' : 'absent',
        }),
      );
      const outcome = await pair.kernel.routes.replace(wanted);
      expect(outcome.map((error) => error?.code)).toEqual(
        wanted.map((_, i) => (i % 2 === 0 ? undefined : 'ENODEV')),
      );
      expect(await pair.kernel.routes.list('ipv4', PROTOCOL.bgp)).toHaveLength(300);
    });

    test('a device that is down carries no route', async () => {
      await using pair = await makePair();
      await connect(pair, 1);
      await pair.kernel.links.set('eth1', { up: false });
      const outcome = await pair.kernel.routes.replace([
        route('10.65.0.2/32', { type: 'device', device: 'eth1' }),
        viaGateway('10.66.0.0/16', '10.0.1.1', 'eth1'),
      ]);
      expect(outcome.map((error) => error?.code)).toEqual(['ENETDOWN', 'ENETUNREACH']);
    });
  });
}

function describeLoss(makePair: () => Promise<KernelPair>): void {
  const wanted = [
    route('10.65.0.2/32', { type: 'device', device: 'eth1' }),
    viaGateway('10.66.0.0/16', '10.0.1.1', 'eth1'),
    route('10.67.0.0/26', { type: 'blackhole' }),
    route('fd65::2/128', { type: 'device', device: 'eth1' }),
    viaGateway('fd66::/48', 'fd00:1::1', 'eth1'),
    route('fd67::/122', { type: 'blackhole' }),
  ];
  const left = ['10.67.0.0/26 blackhole', 'fd67::/122 blackhole'];

  describe('routes that go away by themselves', () => {
    test('with their link, when it goes down', async () => {
      await using pair = await makePair();
      await connect(pair, 1);
      await pair.kernel.routes.replace(wanted);
      await pair.kernel.links.set('eth1', { up: false });
      expect(await ourRoutes(pair.kernel)).toEqual(left);
    });

    test('with their link, when it is removed', async () => {
      await using pair = await makePair();
      await connect(pair, 1);
      await pair.kernel.routes.replace(wanted);
      await pair.kernel.links.remove('eth1');
      expect(await ourRoutes(pair.kernel)).toEqual(left);
    });

    test('not with the carrier', async () => {
      await using pair = await makePair();
      await connect(pair, 1);
      await pair.kernel.routes.replace(wanted);
      await pair.peer.links.set('eth1', { up: false });
      await expect
        .poll(() => pair.kernel.links.get('eth1'), SOON)
        .toMatchObject({ carrier: false });
      expect(await ourRoutes(pair.kernel)).toHaveLength(wanted.length);
    });

    test('IPv4 ones with their preferred source, and with the last address of their device', async () => {
      await using pair = await makePair();
      await connect(pair, 1);
      const { kernel } = pair;
      const source = parseAddress('10.99.0.1');
      const address = parseInterfaceAddress('10.99.0.1/32');
      await kernel.links.addAddress('eth1', address);
      await kernel.routes.replace([
        ...wanted,
        { ...viaGateway('10.68.0.0/16', '10.0.1.1', 'eth1'), source },
      ]);
      await kernel.links.removeAddress('eth1', address);
      expect(await ourRoutes(kernel)).toHaveLength(wanted.length);
      await kernel.links.removeAddress('eth1', parseInterfaceAddress('10.0.1.0/31'));
      expect(await kernel.routes.list('ipv4', PROTOCOL.bgp)).toHaveLength(1);
      expect(await kernel.routes.list('ipv6', PROTOCOL.bgp)).toHaveLength(3);
    });
  });
}
