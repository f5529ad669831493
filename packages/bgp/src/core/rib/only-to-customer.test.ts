import { describe, expect, test } from 'vitest';
import {
  link,
  peerConfig,
  Speaker,
  sessionWith,
  speakerConfig,
} from '../../../test/two-speakers.ts';
import { attribute, updateOctets } from '../../../test/update-octets.ts';
import { AttributeCode, AttributeCursor, readU32 } from '../wire/attribute-set.ts';
import type { BgpRole } from '../wire/role.ts';
import { UpdateDecoder } from '../wire/update.ts';

const FEEDER = 1;
const RECEIVER = 2;
const FEEDER_AS = 65001;
const LOCAL_AS = 65000;
const OTC = 35;

const otc = (asn: number): number[] =>
  attribute(0xc0, OTC, [asn >>> 24, (asn >>> 16) & 255, (asn >>> 8) & 255, asn & 255]);

interface Setup {
  /** Our roles. */
  readonly towardsFeeder?: BgpRole | undefined;
  readonly towardsReceiver?: BgpRole | undefined;
  readonly feederAsn?: number;
  readonly receiverAsn?: number;
  readonly originate?: readonly string[];
}

function relay(setup: Setup) {
  const { towardsFeeder, towardsReceiver, originate = [] } = setup;
  const speaker = new Speaker(speakerConfig(LOCAL_AS, { originate }));
  const { engine } = speaker;
  engine.setInterfaces([link('eth1', ['10.1.0.254/24', 'fd00:1::254/64'])]);
  engine.endDeferral();
  const local = { asn: LOCAL_AS, address: '10.1.0.254' };
  const role = (own: BgpRole | undefined) => (own === undefined ? {} : { role: own });
  const feeder = peerConfig('10.1.0.1', setup.feederAsn ?? FEEDER_AS, role(towardsFeeder));
  const receiver = peerConfig('10.1.0.2', setup.receiverAsn ?? 65002, role(towardsReceiver));
  engine.peerUp(sessionWith(FEEDER, feeder, local));
  engine.peerUp(sessionWith(RECEIVER, receiver, local));
  const learn = (extra: readonly (readonly number[])[], prefix = '10.9.0.0/24'): void => {
    const update = { announce: [prefix], nextHop: '10.1.0.1', asPath: [FEEDER_AS], extra };
    expect(engine.receiveUpdate(FEEDER, updateOctets(update))).toBeUndefined();
  };
  return { speaker, engine, learn };
}

/** For each route that the receiver gets, the AS number of its OTC; `null`: it has none. */
function told(speaker: Speaker): (number | null)[] {
  while (speaker.engine.step(1000));
  const decoder = new UpdateDecoder();
  const cursor = new AttributeCursor();
  const found: (number | null)[] = [];
  for (let message = speaker.message(RECEIVER); message; message = speaker.message(RECEIVER)) {
    const context = { ebgp: true, fourOctetAs: true, families: ['ipv4', 'ipv6'] } as const;
    expect(decoder.decode(message.subarray(19), context)).toBeUndefined();
    expect(decoder.withdrawReason).toBeUndefined();
    if (decoder.announced.every(({ from, to }) => from === to)) continue;
    let value: number | null = null;
    cursor.start(decoder.attributes.octets, 0, decoder.attributes.length);
    while (cursor.next()) {
      if (cursor.code === AttributeCode.OnlyToCustomer) value = readU32(cursor.bytes, cursor.from);
    }
    found.push(value);
  }
  return found;
}

const state = ({ engine }: ReturnType<typeof relay>) => {
  const { received, refused } = engine.counters(FEEDER);
  return { paths: received.ipv4, leaks: refused['route-leak'] ?? 0 };
};

describe('what comes in (RFC 9234 section 5, ingress)', () => {
  test.each<[string, BgpRole | undefined, number | undefined, boolean]>([
    ['marked, from a customer', 'provider', 65009, true],
    ['marked, from a client of our route server', 'rs', 65009, true],
    ['marked by somebody else, from a peer', 'peer', 65009, true],
    ['marked by the peer itself', 'peer', FEEDER_AS, false],
    ['marked, from a provider', 'customer', 65009, false],
    ['marked, from a route server', 'rs-client', 65009, false],
    ['not marked, from a customer', 'provider', undefined, false],
    ['marked, from who has no role', undefined, 65009, false],
  ])('%s', (_, role, marked, isLeak) => {
    const scene = relay({ towardsFeeder: role });
    scene.learn(marked === undefined ? [] : [otc(marked)]);
    expect(state(scene)).toEqual(isLeak ? { paths: 0, leaks: 1 } : { paths: 1, leaks: 0 });
  });

  test('a route that becomes a leak is gone, and back when it is none any more', () => {
    const scene = relay({ towardsFeeder: 'provider' });
    scene.learn([]);
    expect(told(scene.speaker)).toEqual([null]);
    scene.learn([otc(65009)]);
    expect(state(scene)).toEqual({ paths: 0, leaks: 1 });
    scene.learn([]);
    expect(state(scene)).toEqual({ paths: 1, leaks: 1 });
  });

  test.each<[BgpRole, number | null]>([
    ['customer', FEEDER_AS],
    ['peer', FEEDER_AS],
    ['rs-client', FEEDER_AS],
    ['provider', null],
    ['rs', null],
  ])('as %s, what comes in unmarked is passed on with %s', (role, expected) => {
    const scene = relay({ towardsFeeder: role });
    scene.learn([]);
    expect(told(scene.speaker)).toEqual([expected]);
  });

  test('the mark stands in its place among other attributes', () => {
    const scene = relay({ towardsFeeder: 'customer' });
    scene.learn([
      attribute(0xc0, 32, [0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3]),
      attribute(0xc0, 99, [7]),
    ]);
    expect(told(scene.speaker)).toEqual([FEEDER_AS]);
    expect(scene.engine.counters(FEEDER).refused).toEqual({});
  });

  test('malformed, it costs the route and never the session (FRR #20260)', () => {
    const scene = relay({ towardsFeeder: 'provider' });
    scene.learn([attribute(0xc0, OTC, [0, 0, 1])]);
    scene.learn([attribute(0x40, OTC, [0, 0, 0, 1])], '10.9.1.0/24');
    expect(state(scene)).toEqual({ paths: 0, leaks: 0 });
    expect(scene.engine.counters(FEEDER).refused).toEqual({ 'treat-as-withdraw': 2 });
  });

  test('inside an AS a role means nothing', () => {
    const scene = relay({ towardsFeeder: 'provider', feederAsn: LOCAL_AS });
    scene.learn([otc(65009)]);
    expect(state(scene)).toEqual({ paths: 1, leaks: 0 });
  });

  test('withdrawals and End-of-RIB are no routes', () => {
    const scene = relay({ towardsFeeder: 'customer' });
    scene.learn([]);
    const withdraw = updateOctets({ withdraw: ['10.9.0.0/24'] });
    expect(scene.engine.receiveUpdate(FEEDER, withdraw)).toBeUndefined();
    expect(state(scene)).toEqual({ paths: 0, leaks: 0 });
  });
});

describe('what goes out (RFC 9234 section 5, egress)', () => {
  test.each<[BgpRole | undefined, (number | null)[]]>([
    ['customer', []],
    ['peer', []],
    ['rs-client', []],
    ['provider', [65009]],
    ['rs', [65009]],
    [undefined, [65009]],
  ])('as %s, what is marked', (role, expected) => {
    const scene = relay({ towardsReceiver: role });
    scene.learn([otc(65009)]);
    expect(told(scene.speaker)).toEqual(expected);
  });

  test.each<[BgpRole | undefined, number | null]>([
    ['customer', null],
    ['rs-client', null],
    ['peer', LOCAL_AS],
    ['provider', LOCAL_AS],
    ['rs', LOCAL_AS],
    [undefined, null],
  ])('as %s, what is ours is marked with %s', (role, expected) => {
    const { speaker } = relay({ towardsReceiver: role, originate: ['10.65.0.0/26'] });
    expect(told(speaker)).toEqual([expected]);
  });

  test('from provider to provider nothing goes, even if neither marks', () => {
    const scene = relay({ towardsFeeder: 'customer', towardsReceiver: 'customer' });
    scene.learn([]);
    expect(told(scene.speaker)).toEqual([]);
  });

  test('a route that becomes marked is withdrawn', () => {
    const scene = relay({ towardsReceiver: 'customer' });
    scene.learn([]);
    expect(told(scene.speaker)).toEqual([null]);
    expect(scene.engine.counters(RECEIVER).sent.ipv4).toBe(1);
    scene.learn([otc(65009)]);
    expect(told(scene.speaker)).toEqual([]);
    expect(scene.engine.counters(RECEIVER).sent.ipv4).toBe(0);
  });

  test('two peers with different roles do not share what they are sent', () => {
    const { speaker } = relay({
      towardsFeeder: 'customer',
      towardsReceiver: 'provider',
      originate: ['10.65.0.0/26'],
    });
    expect(told(speaker)).toEqual([LOCAL_AS]);
    const toFeeder = speaker.message(FEEDER);
    expect(toFeeder).toBeDefined();
    expect(Buffer.from(toFeeder ?? []).toString('hex')).not.toContain('c02304');
  });
});
