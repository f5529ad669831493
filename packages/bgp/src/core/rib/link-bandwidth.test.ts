import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  link,
  peerConfig,
  Speaker,
  sessionWith,
  settle,
  speakerConfig,
} from '../../../test/two-speakers.ts';
import { attribute, updateOctets } from '../../../test/update-octets.ts';
import type { SpeakerConfig } from '../config.ts';
import { LinkBandwidthReader } from '../wire/link-bandwidth.ts';
import { toShares } from './load-shares.ts';

const PREFIX = '198.51.100.0/24';
const ASN = 65000;

/** An extended community: link bandwidth of AS 65001 as IEEE 754. draft-ietf-idr-link-bandwidth section 2. */
function community(octetsPerSecond: number, type = 0x40): number[] {
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, octetsPerSecond);
  return [type, 4, 0xfd, 0xe9, ...new Uint8Array(view.buffer)];
}

const extended = (...communities: readonly number[][]): number[] =>
  attribute(0xc0, 16, communities.flat());

describe('what an attribute set says', () => {
  const read = (...communities: readonly number[][]): number => {
    const set = Uint8Array.from(extended(...communities));
    return new LinkBandwidthReader().read(set, 0, set.length);
  };
  const ROUTE_TARGET = [0, 2, 0xfd, 0xe9, 0, 0, 0, 1];

  test.each<[name: string, communities: number[][], expected: number]>([
    ['125 MB/s', [[0x40, 4, 0xfd, 0xe9, 0x4c, 0xee, 0x6b, 0x28]], 125_000_000],
    ['the transitive one', [community(5e6, 0)], 5e6],
    ['behind others', [ROUTE_TARGET, community(5e6)], 5e6],
    ['of several the lowest', [community(9e6), community(5e6), community(7e6)], 5e6],
    ['none', [ROUTE_TARGET], 0],
    ['no number', [[0x40, 4, 0, 0, 0x7f, 0xc0, 0, 0]], 0],
    ['infinite', [[0x40, 4, 0, 0, 0x7f, 0x80, 0, 0]], 0],
    ['negative, and zero', [community(-5), community(0)], 0],
  ])('%s', (_, communities, expected) => {
    expect(read(...communities)).toBe(expected);
  });

  test('no extended communities at all', () => {
    expect(new LinkBandwidthReader().read(Uint8Array.of(0x40, 1, 1, 0), 0, 4)).toBe(0);
  });
});

test('shares are small numbers in the proportion of the bandwidths', () => {
  const shares = (...bandwidths: number[]) => [toShares(bandwidths, bandwidths.length), bandwidths];
  expect(shares(1e9, 1e9, 1e9)).toEqual([false, [1, 1, 1]]);
  expect(shares(1e9, 3e9)).toEqual([true, [1, 3]]);
  expect(shares(10, 40, 20)).toEqual([true, [1, 4, 2]]);
  expect(shares(1, 1e9)).toEqual([true, [1, 120]]);
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 1e-30, max: 1e30, noNaN: true }), { minLength: 1 }),
      (bandwidths) => {
        const widest = Math.max(...bandwidths);
        const list = [...bandwidths];
        toShares(list, list.length);
        for (const [i, share] of list.entries()) {
          expect(share).toBeGreaterThanOrEqual(1);
          expect(share).toBeLessThanOrEqual(120);
          expect(Number.isInteger(share)).toBe(true);
          const error = Math.abs(share / Math.max(...list) - (bandwidths[i] ?? 0) / widest);
          expect(error).toBeLessThan(1 / 119);
        }
      },
    ),
  );
});

/** Two or three eBGP peers on one subnet that offer a prefix; 0: without bandwidth. */
function kernelRoute(
  bandwidths: readonly number[],
  multipath: Partial<SpeakerConfig['multipath']> = { linkBandwidth: true },
) {
  const config = (change: Partial<SpeakerConfig['multipath']>) =>
    speakerConfig(ASN, { multipath: { maxPaths: 8, relaxAsPath: true, ...change } });
  const speaker = new Speaker(config(multipath));
  const { engine } = speaker;
  engine.setInterfaces([link('eth0', ['10.0.0.254/24', 'fd00::254/64'])]);
  engine.endDeferral();
  const announce = (n: number, bandwidth: number): void => {
    const extra = bandwidth === 0 ? [] : [extended(community(bandwidth))];
    for (const [prefix, nextHop] of [
      [PREFIX, `10.0.0.${n}`],
      ['2001:db8::/32', `fd00::${n}`],
    ] as const) {
      const update = { announce: [prefix], nextHop, asPath: [65000 + n], extra };
      expect(engine.receiveUpdate(n, updateOctets(update))).toBeUndefined();
    }
    settle(speaker);
  };
  for (const [i, bandwidth] of bandwidths.entries()) {
    const local = { asn: ASN, address: '10.0.0.254' };
    engine.peerUp(sessionWith(i + 1, peerConfig(`10.0.0.${i + 1}`, 65001 + i), local));
    announce(i + 1, bandwidth);
  }
  const text = () => speaker.kernel.routes.get(PREFIX as never)?.replaceAll('@eth0', '');
  return {
    text,
    announce,
    speaker,
    configure: (to: typeof multipath) => engine.configure(config(to)),
  };
}

test('the load is shared by bandwidth where every path has one, in both families', () => {
  const { text, speaker } = kernelRoute([1e9, 2e9, 4e9]);
  expect(text()).toBe('10.0.0.1*1 10.0.0.2*2 10.0.0.3*4');
  expect(speaker.kernel.routes.get('2001:db8::/32' as never)).toBe(
    'fd00::1@eth0*1 fd00::2@eth0*2 fd00::3@eth0*4',
  );
});

test('equally where one has none, where all have the same, and where nobody asked', () => {
  const equal = '10.0.0.1 10.0.0.2';
  expect(kernelRoute([1e9, 0]).text()).toBe(equal);
  expect(kernelRoute([1e9, 1e9]).text()).toBe(equal);
  expect(kernelRoute([1e9, 2e9], {}).text()).toBe(equal);
  expect(kernelRoute([1e9]).text()).toBe('10.0.0.1');
});

test('the kernel is told when a bandwidth changes, and when the setting does', () => {
  const { text, announce, configure, speaker } = kernelRoute([1e9, 1e9]);
  announce(2, 3e9);
  expect(text()).toBe('10.0.0.1*1 10.0.0.2*3');
  announce(1, 0);
  expect(text()).toBe('10.0.0.1 10.0.0.2');
  announce(1, 1.5e9);
  expect(text()).toBe('10.0.0.1*1 10.0.0.2*2');
  configure({});
  settle(speaker);
  expect(text()).toBe('10.0.0.1 10.0.0.2');
});

test.each([
  ['an eBGP peer gets the transitive communities alone (RFC 4360 section 6)', 65009, ['rt', 'lb']],
  ['an iBGP peer gets all', ASN, ['rt', 'lb', 'local lb']],
])('%s', (_, asn, expected) => {
  const { speaker, announce } = kernelRoute([1e9]);
  const RECEIVER = 9;
  const local = { asn: ASN, address: '10.0.0.254' };
  speaker.engine.peerUp(
    sessionWith(RECEIVER, peerConfig('10.0.0.9', asn, { families: ['ipv4'] }), local),
  );
  const communities = {
    rt: [0, 2, 0xfd, 0xe9, 0, 0, 0, 1],
    lb: community(5, 0),
    'local lb': community(6),
  };
  const sent = (): string[] => {
    settle(speaker);
    const octets = Buffer.from(speaker.message(RECEIVER) ?? []).toString('hex');
    return Object.entries(communities).flatMap(([name, value]) =>
      octets.includes(Buffer.from(value).toString('hex')) ? [name] : [],
    );
  };
  announce(1, 0);
  const update = { announce: [PREFIX], nextHop: '10.0.0.1', asPath: [65001] };
  const all = [extended(...Object.values(communities))];
  speaker.engine.receiveUpdate(1, updateOctets({ ...update, extra: all }));
  expect(sent()).toEqual(expected);
  const none = [extended(communities['local lb'])];
  speaker.engine.receiveUpdate(1, updateOctets({ ...update, extra: none }));
  settle(speaker);
  const octets = Buffer.from(speaker.message(RECEIVER) ?? []).toString('hex');
  expect(octets.includes('c010')).toBe(asn === ASN);
});
