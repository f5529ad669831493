import { parseAddress, parsePrefix } from '@overland/net';
import { expect, test } from 'vitest';
import {
  connect,
  type End,
  link,
  Speaker,
  settle,
  speakerConfig,
} from '../../../test/two-speakers.ts';
import { updateOctets } from '../../../test/update-octets.ts';
import type { SpeakerConfig, StaticRoute } from '../config.ts';
import type { InterfaceState } from './route-engine.ts';

const PREFIX = '10.9.0.0/24';

function route(
  prefix: string,
  via: readonly string[],
  rest: Partial<StaticRoute> = {},
): StaticRoute {
  const nextHops = via.map((address) => ({ address: parseAddress(address) }));
  return { prefix: parsePrefix(prefix), nextHops, advertise: false, ...rest };
}

/** A speaker with two links and a peer (10.1.0.2) on the first. */
function setUp(given: Partial<SpeakerConfig>) {
  const configOf = (change: Partial<SpeakerConfig>): SpeakerConfig => ({
    ...speakerConfig(65001, { multipath: { maxPaths: 4, relaxAsPath: true } }),
    ...change,
  });
  const speaker = new Speaker(configOf(given));
  const links = (change: Partial<InterfaceState> = {}) =>
    speaker.engine.setInterfaces([
      { ...link('eth0', ['10.1.0.1/24', 'fd00:1::1/64']), ...change },
      link('eth1', ['10.3.0.1/24', 'fd00:3::1/64']),
      link('cali1', ['169.254.1.1/32']),
    ]);
  links();
  speaker.engine.endDeferral();
  const other = new Speaker(speakerConfig(65002));
  other.engine.endDeferral();
  const peer: End = { speaker: other, asn: 65002, address: '10.1.0.2', peer: 0 };
  connect({ speaker, asn: 65001, address: '10.1.0.1', peer: 0 }, peer);
  const kernel = (): Record<string, string> => {
    settle(speaker, other);
    return Object.fromEntries(speaker.kernel.routes);
  };
  return {
    engine: speaker.engine,
    links,
    kernel,
    change: (change: Partial<SpeakerConfig>) => speaker.engine.configure(configOf(change)),
    told: () => {
      settle(speaker, other);
      return other.routes('ipv4').map(({ prefix, paths }) => `${prefix} ${paths[0]?.nextHop}`);
    },
    learn: (nextHop: string): void => {
      const update = { announce: [PREFIX], nextHop, asPath: [65002] };
      expect(speaker.engine.receiveUpdate(0, updateOctets(update))).toBeUndefined();
    },
  };
}

test('the kernel has a static route as long as a next hop can be used, and peers only if they shall', () => {
  const world = setUp({ static: [route('10.8.0.0/16', ['10.1.0.9', '10.3.0.9'])] });
  expect(world.kernel()).toEqual({ '10.8.0.0/16': '10.1.0.9@eth0 10.3.0.9@eth1' });
  expect(world.told()).toEqual([]);
  world.links({ usable: false });
  expect(world.kernel()).toEqual({ '10.8.0.0/16': '10.3.0.9@eth1' });
  world.links({ unreachable: [parseAddress('10.1.0.9')] });
  expect(world.kernel()).toEqual({ '10.8.0.0/16': '10.3.0.9@eth1' });
  world.links();
  world.change({ static: [route('10.8.0.0/16', ['10.1.0.9'], { advertise: true })] });
  expect(world.kernel()).toEqual({ '10.8.0.0/16': '10.1.0.9@eth0' });
  expect(world.told()).toEqual(['10.8.0.0/16 10.1.0.1']);
  world.links({ unreachable: [parseAddress('10.1.0.9')] });
  expect(world.kernel()).toEqual({});
  expect(world.told()).toEqual([]);
  world.links();
  world.change({});
  expect(world.kernel()).toEqual({});
  expect(world.engine.statistics().families.ipv4).toMatchObject({ paths: 0, prefixes: 0 });
});

test('the next hop of a learned route may lie behind a static route, but not behind a default one', () => {
  const world = setUp({ static: [route('0.0.0.0/0', ['10.3.0.9'])] });
  world.learn('10.7.0.1');
  expect(world.kernel()).toEqual({ '0.0.0.0/0': '10.3.0.9@eth1' });
  world.change({ static: [route('10.7.0.0/16', ['10.3.0.8', '10.1.0.8'])] });
  expect(world.kernel()).toEqual({
    '10.7.0.0/16': '10.1.0.8@eth0 10.3.0.8@eth1',
    [PREFIX]: '10.3.0.8@eth1',
  });
  world.change({ static: [route('10.7.0.0/24', ['10.1.0.8'])] });
  expect(world.kernel()[PREFIX]).toBe('10.1.0.8@eth0');
  world.links({ usable: false });
  expect(world.kernel()).toEqual({});
});

test('IPv4 by an IPv6 next hop, and a link-local one', () => {
  const world = setUp({
    static: [
      route('10.8.0.0/16', ['fd00:3::9']),
      {
        ...route('fd00:8::/64', []),
        nextHops: [{ address: parseAddress('fe80::9'), interface: 'eth1' }],
      },
    ],
  });
  expect(world.kernel()).toEqual({
    '10.8.0.0/16': 'fd00:3::9@eth1',
    'fd00:8::/64': 'fe80::9@eth1',
  });
});

test('a neighbour that no subnet holds is reached on its link', () => {
  const workload = parseAddress('10.65.0.5');
  const world = setUp({ neighbours: [{ address: workload, device: 'cali1' }] });
  world.learn('10.65.0.5');
  expect(world.kernel()).toEqual({ [PREFIX]: '10.65.0.5@cali1' });
  world.change({});
  expect(world.kernel()).toEqual({});
});
