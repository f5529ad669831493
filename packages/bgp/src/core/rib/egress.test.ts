import { expect, test } from 'vitest';
import {
  connect,
  type End,
  link,
  peerConfig,
  Speaker,
  sessionWith,
  settle,
  speakerConfig,
} from '../../../test/two-speakers.ts';
import { attribute, type UpdateText, updateOctets } from '../../../test/update-octets.ts';
import type { EstablishedSession, PeerConfig, SpeakerConfig } from '../index.ts';
import { asNumbers } from '../wire/as-path.ts';
import { AttributeSummary } from '../wire/attribute-summary.ts';
import { UpdateDecoder } from '../wire/update.ts';

const FEEDER = 1;
const RECEIVER = 2;

interface Setup {
  readonly role?: SpeakerConfig['role'];
  readonly feederAsn?: number;
  readonly receiverAsn?: number;
  readonly receiver?: Partial<PeerConfig>;
  readonly session?: Partial<EstablishedSession>;
}

/** A speaker (AS 65000) that learns from one peer and has another to tell. */
function relay({
  role = 'router',
  feederAsn = 65001,
  receiverAsn = 65002,
  receiver,
  session,
}: Setup) {
  const speaker = new Speaker(speakerConfig(65000, { role, originate: ['10.65.0.0/26'] }));
  const { engine } = speaker;
  engine.setInterfaces([
    link('eth1', ['10.1.0.254/24', 'fd00:1::254/64']),
    link('eth2', ['10.1.2.254/24', 'fd00:2::254/64']),
  ]);
  engine.endDeferral();
  const local = { asn: 65000, address: '10.1.0.254' };
  engine.peerUp(sessionWith(FEEDER, peerConfig('10.1.0.1', feederAsn), local));
  const towards = { asn: 65000, address: '10.1.2.254' };
  engine.peerUp(
    sessionWith(RECEIVER, peerConfig('10.1.2.2', receiverAsn, receiver), towards, session),
  );
  const learn = (update: UpdateText) =>
    expect(
      engine.receiveUpdate(
        FEEDER,
        updateOctets({ nextHop: '10.1.0.1', asPath: [65001], ...update }),
      ),
    ).toBeUndefined();
  return { speaker, engine, learn };
}

/** All messages for the receiver, decoded: prefixes with attributes and next hop. */
function told(speaker: Speaker, { ebgp = true, fourOctetAs = true } = {}) {
  while (speaker.engine.step(1000));
  const routes: Record<string, unknown>[] = [];
  const decoder = new UpdateDecoder();
  const summary = new AttributeSummary();
  for (let message = speaker.message(RECEIVER); message; message = speaker.message(RECEIVER)) {
    expect(message.length).toBeLessThanOrEqual(4096);
    const body = message.subarray(19);
    expect(decoder.decode(body, { ebgp, fourOctetAs, families: ['ipv4', 'ipv6'] })).toBeUndefined();
    expect(decoder.withdrawReason).toBeUndefined();
    const [announced] = decoder.announced.filter(({ from, to }) => from < to);
    if (!announced) continue;
    const { octets, length } = decoder.attributes;
    summary.read(octets, 0, length);
    const hop = body.subarray(
      announced.nextHopFrom,
      announced.nextHopFrom + announced.nextHopOctets,
    );
    routes.push({
      prefixes: announced.to - announced.from,
      nextHop: [...hop].join('.'),
      asPath: asNumbers(summary.asPath),
      med: summary.med,
      localPref: summary.localPref,
      set: Buffer.from(octets.subarray(0, length)).toString('hex'),
    });
  }
  return routes;
}

const LEARNED = 5; // octets of a /26

test('an eBGP peer gets our AS number and next hop, and neither MED nor LOCAL_PREF', () => {
  const { speaker, learn } = relay({ feederAsn: 65000 });
  learn({ announce: ['10.2.0.0/26'], asPath: [65007], med: 7, localPref: 300 });
  expect(told(speaker)).toMatchObject([
    { nextHop: '10.1.2.254', asPath: [65000], prefixes: LEARNED },
    { nextHop: '10.1.2.254', asPath: [65000, 65007], med: undefined, localPref: undefined },
  ]);
});

test('an iBGP peer gets LOCAL_PREF, MED and the next hop as it came', () => {
  const { speaker, learn } = relay({ receiverAsn: 65000 });
  learn({ announce: ['10.2.0.0/26'], med: 7 });
  expect(told(speaker, { ebgp: false })).toMatchObject([
    { nextHop: '10.1.2.254', asPath: [], localPref: 100 },
    { nextHop: '10.1.0.1', asPath: [65001], med: 7, localPref: 100 },
  ]);
});

test('next hop self and keep', () => {
  for (const [nextHop, receiverAsn, expected] of [
    ['self', 65000, '10.1.2.254'],
    ['keep', 65002, '10.1.0.1'],
  ] as const) {
    const { speaker, learn } = relay({ receiverAsn, receiver: { nextHop } });
    learn({ announce: ['10.2.0.0/26'] });
    const [own, learned] = told(speaker, { ebgp: receiverAsn !== 65000 });
    expect(own).toMatchObject({ nextHop: '10.1.2.254' });
    expect(learned).toMatchObject({ nextHop: expected });
  }
});

test('what came over iBGP does not go to iBGP peers', () => {
  const { speaker, learn } = relay({ feederAsn: 65000, receiverAsn: 65000 });
  learn({ announce: ['10.2.0.0/26'], asPath: [65009] });
  expect(told(speaker, { ebgp: false })).toMatchObject([{ asPath: [] }]);
});

test('a host offers its own prefixes only', () => {
  for (const receiverAsn of [65000, 65002]) {
    const { speaker, learn } = relay({ role: 'host', receiverAsn });
    learn({ announce: ['10.2.0.0/26'] });
    expect(told(speaker, { ebgp: receiverAsn !== 65000 })).toHaveLength(1);
  }
});

test('NO_ADVERTISE stays here, NO_EXPORT inside the AS', () => {
  for (const [community, receiverAsn, routes] of [
    [0xffff_ff02, 65000, 1],
    [0xffff_ff02, 65002, 1],
    [0xffff_ff01, 65000, 2],
    [0xffff_ff01, 65002, 1],
    [0xffff_ff03, 65002, 1],
    [1, 65002, 2],
  ] as const) {
    const { speaker, learn } = relay({ receiverAsn });
    learn({ announce: ['10.2.0.0/26'], communities: [community] });
    expect(told(speaker, { ebgp: receiverAsn !== 65000 })).toHaveLength(routes);
  }
});

test('as-override puts our AS number in place of the peer’s', () => {
  const { speaker, learn } = relay({ receiver: { asOverride: true } });
  learn({ announce: ['10.2.0.0/26'], asPath: [65001, 65002, 65003, 65002] });
  expect(told(speaker).at(-1)).toMatchObject({ asPath: [65000, 65001, 65000, 65003, 65000] });
});

test('private AS numbers are taken out before ours is put first', () => {
  for (const [removePrivateAs, path, expected] of [
    ['remove', [65001, 4_200_000_001], [65000]],
    ['remove', [65001, 3356], [65000, 65001, 3356]],
    ['all', [65001, 3356, 65002, 4_200_000_001], [65000, 3356, 65002]],
    ['replace', [65001, 3356, 65003], [65000, 65000, 3356, 65000]],
  ] as const) {
    for (const fourOctetAs of [true, false]) {
      const { speaker, learn } = relay({ receiver: { removePrivateAs }, session: { fourOctetAs } });
      learn({ announce: ['10.2.0.0/26'], asPath: path });
      expect(told(speaker, { fourOctetAs }).at(-1)).toMatchObject({ asPath: expected });
    }
  }
});

test('they stay towards iBGP peers, and come back when the knob is turned off', () => {
  const iBgp = relay({ receiverAsn: 65000, receiver: { removePrivateAs: 'all' } });
  iBgp.learn({ announce: ['10.2.0.0/26'] });
  expect(told(iBgp.speaker, { ebgp: false }).at(-1)).toMatchObject({ asPath: [65001] });

  const { speaker, engine, learn } = relay({ receiver: { removePrivateAs: 'all' } });
  learn({ announce: ['10.2.0.0/26'] });
  expect(told(speaker).at(-1)).toMatchObject({ asPath: [65000] });
  const config = speakerConfig(65000, { originate: ['10.65.0.0/26'] });
  engine.configure({ ...config, peers: [peerConfig('10.1.2.2', 65002)] });
  expect(told(speaker).at(-1)).toMatchObject({ asPath: [65000, 65001] });
});

test('a default route for one peer: from a host, too, and in nobody’s Loc-RIB', () => {
  for (const receiverAsn of [65000, 65002]) {
    const ebgp = receiverAsn !== 65000;
    const { speaker, engine, learn } = relay({
      role: 'host',
      receiverAsn,
      receiver: { defaultOriginate: true },
    });
    const asPath = ebgp ? [65000] : [];
    const localPref = ebgp ? undefined : 100;
    const own = '253.0.0.2.0.0.0.0.0.0.0.0.0.0.2.84';
    expect(told(speaker, { ebgp })).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ prefixes: 1, nextHop: '10.1.2.254', asPath, localPref }),
        expect.objectContaining({ prefixes: 1, nextHop: own, asPath, localPref }),
      ]),
    );
    expect(engine.counters(RECEIVER).sent).toEqual({ ipv4: 2, ipv6: 1 });
    expect(speaker.routes('ipv4').map(({ prefix }) => prefix)).toEqual(['10.65.0.0/26']);
    expect(engine.counters(FEEDER).sent.ipv6).toBe(0);

    // What is learned does not come between.
    learn({ announce: ['0.0.0.0/0'] });
    expect(told(speaker, { ebgp })).toEqual([]);
    engine.refresh(RECEIVER, 'ipv4');
    expect(told(speaker, { ebgp })).toHaveLength(2);
  }
});

test('when the default route of its own ends, the peer has that of the Loc-RIB, or none', () => {
  const { speaker, engine, learn } = relay({ receiver: { defaultOriginate: true } });
  learn({ announce: ['0.0.0.0/0'] });
  expect(told(speaker).filter(({ prefixes }) => prefixes === 1)).toMatchObject([
    { asPath: [65000] },
    { asPath: [65000] },
  ]);
  const config = speakerConfig(65000, { originate: ['10.65.0.0/26'] });
  engine.configure({ ...config, peers: [peerConfig('10.1.2.2', 65002)] });
  expect(told(speaker)).toMatchObject([{ prefixes: 1, asPath: [65000, 65001] }]);
  expect(engine.counters(RECEIVER).sent).toEqual({ ipv4: 2, ipv6: 0 });
  const peers = [peerConfig('10.1.2.2', 65002, { defaultOriginate: true })];
  engine.configure({ ...config, peers });
  expect(told(speaker)).toHaveLength(2);
  engine.setInterfaces([link('eth1', ['10.1.0.254/24'])]);
  // Without an address of ours there, there is no next hop to offer.
  told(speaker);
  expect(engine.counters(RECEIVER).sent.ipv6).toBe(0);
});

test('a path too long for a one-octet length arrives whole', () => {
  // 62 and ours are 254 octets of value, 63 and ours 258. RFC 4271 section 4.3, Extended Length.
  for (const fourOctetAs of [true, false]) {
    for (const count of [62, 63, 64, 126, 127, 254, 255]) {
      const { speaker, learn } = relay({ session: { fourOctetAs } });
      const asPath = Array.from({ length: count }, (_, i) => 64_600 + i);
      learn({ announce: ['10.2.0.0/26'], asPath });
      expect(told(speaker, { fourOctetAs }).at(-1)).toMatchObject({ asPath: [65000, ...asPath] });
    }
  }
});

test('nobody gets back what is best because of them', () => {
  const { speaker, engine, learn } = relay({});
  learn({ announce: ['10.2.0.0/26'] });
  while (engine.step(100));
  expect(engine.counters(FEEDER).sent.ipv4).toBe(0);
  for (let message = speaker.message(FEEDER); message; message = speaker.message(FEEDER));
  expect(engine.counters(FEEDER).sent.ipv4).toBe(1);
});

test('a two-octet peer gets AS_TRANS, and the truth in AS4_PATH', () => {
  const { speaker, learn } = relay({ session: { fourOctetAs: false } });
  learn({ announce: ['10.2.0.0/26'], asPath: [4_200_000_001, 65002] });
  const routes = told(speaker, { fourOctetAs: false });
  expect(routes.at(-1)).toMatchObject({ asPath: [65000, 4_200_000_001, 65002] });
  expect(routes.at(0)).toMatchObject({ asPath: [65000] });
});

test('AGGREGATOR and unknown transitive attributes are passed on', () => {
  const aggregator = attribute(0xc0, 7, [0, 1, 0, 1, 192, 0, 2, 1]);
  const unknown = attribute(0xc0, 99, [1, 2, 3]);
  for (const fourOctetAs of [true, false]) {
    const { speaker, learn } = relay({ session: { fourOctetAs } });
    learn({ announce: ['10.2.0.0/26'], extra: [aggregator, unknown] });
    const { set } = told(speaker, { fourOctetAs }).at(-1) ?? {};
    expect(set).toContain('c0070800010001c0000201');
    expect(set).toContain('e06303010203');
  }
});

test('IPv6 over an IPv4 session: the next hop is our address on that link', () => {
  const { speaker, learn } = relay({});
  learn({ announce: ['fd00:65::/122'], nextHop: 'fd00:1::1' });
  const own = '253.0.0.2.0.0.0.0.0.0.0.0.0.0.2.84';
  expect(told(speaker).at(-1)).toMatchObject({ nextHop: own, asPath: [65000, 65001] });
});

test('prefixes with the same attributes travel together, in messages that are full', () => {
  const { speaker, learn } = relay({});
  const prefixes = Array.from({ length: 3000 }, (_, i) => `10.${(i >> 8) + 2}.${i & 255}.0/24`);
  // In an order that has nothing to do with the attributes.
  for (let i = 0; i < prefixes.length; i += 1) {
    const prefix = prefixes[(i * 1009) % prefixes.length] ?? '';
    learn({ announce: [prefix], med: i % 2 });
  }
  const sizes = told(speaker).map(({ prefixes }) => Number(prefixes) / 4);
  expect(sizes.slice(1).reduce((sum, size) => sum + size)).toBe(3000);
  expect(sizes.length).toBeLessThanOrEqual(6);
});

test('a route whose attributes outgrow a message is withdrawn, not sent in pieces', () => {
  const { speaker, engine, learn } = relay({});
  learn({ announce: ['10.2.0.0/26'] });
  expect(told(speaker)).toHaveLength(2);
  learn({ announce: ['10.2.0.0/26'], communities: Array.from({ length: 1000 }, (_, i) => i) });
  expect(told(speaker)).toEqual([]);
  expect(engine.counters(RECEIVER).sent.ipv4).toBe(1);
});

test('a changed knob re-sends what it changes, and nothing flaps', () => {
  const peer = peerConfig('10.1.2.2', 65002);
  const { speaker, engine, learn } = relay({});
  learn({ announce: ['10.2.0.0/26'], asPath: [65001, 65002] });
  expect(told(speaker)).toHaveLength(2);
  const config = speakerConfig(65000, { originate: ['10.65.0.0/26'] });
  engine.configure({ ...config, peers: [peer] });
  expect(told(speaker)).toEqual([]);
  engine.configure({ ...config, peers: [{ ...peer, asOverride: true }] });
  expect(told(speaker).at(-1)).toMatchObject({ asPath: [65000, 65001, 65000] });
});

test('a refresh repeats everything once', () => {
  const { speaker, engine, learn } = relay({});
  learn({ announce: ['10.2.0.0/26'] });
  expect(told(speaker)).toHaveLength(2);
  engine.refresh(RECEIVER, 'ipv4');
  expect(told(speaker)).toHaveLength(2);
  expect(told(speaker)).toEqual([]);
});

test('leaf and hosts of a rack that share an AS number hear of each other where allowAsIn permits', () => {
  const leaf: Omit<End, 'peer' | 'address'> = {
    speaker: new Speaker(speakerConfig(65011)),
    asn: 65011,
  };
  leaf.speaker.engine.setInterfaces([link('swp1', ['10.1.1.0/31']), link('swp2', ['10.1.2.0/31'])]);
  leaf.speaker.engine.endDeferral();
  const hosts = [1, 2].map((n) => {
    const speaker = new Speaker(
      speakerConfig(65101, { role: 'host', originate: [`10.65.0.${n * 64}/26`] }),
    );
    speaker.engine.setInterfaces([link('eth1', [`10.1.${n}.1/31`])]);
    speaker.engine.endDeferral();
    const config = { families: ['ipv4'] as const, allowAsIn: n - 1 };
    connect(
      { ...leaf, address: `10.1.${n}.0`, peer: n },
      { speaker, asn: 65101, address: `10.1.${n}.1`, peer: 0, config },
    );
    return speaker;
  });
  settle(leaf.speaker, ...hosts);
  const [strict, lenient] = hosts;
  expect([...(strict?.kernel.routes.keys() ?? [])]).toEqual([]);
  expect(strict?.engine.counters(0).refused).toEqual({ 'as-path-loop': 1 });
  expect([...(lenient?.kernel.routes ?? [])]).toEqual([['10.65.0.64/26', '10.1.2.0@eth1']]);
});
