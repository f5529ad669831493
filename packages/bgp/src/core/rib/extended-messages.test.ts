import { parseAsn } from '@overland/net';
import { describe, expect, test } from 'vitest';
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
import { attribute, updateOctets } from '../../../test/update-octets.ts';

const EXTENDED = 65_535;
const LINK = link('eth1', ['10.1.0.254/24', 'fd00:1::fe/64']);
const FEEDER = 0;

/** A speaker that has a session with a feeder, which sends octets. */
function fed(maxMessageOctets: number, fourOctetAs = true) {
  const speaker = new Speaker(speakerConfig(65000));
  speaker.engine.setInterfaces([LINK]);
  speaker.engine.endDeferral();
  const local = { asn: 65000, address: '10.1.0.254' };
  const session = { maxMessageOctets, fourOctetAs };
  speaker.engine.peerUp(sessionWith(FEEDER, peerConfig('10.1.0.1', 65001), local, session));
  return {
    speaker,
    end: { speaker, asn: 65000, address: '10.1.0.254', peer: 1 } as End,
    receive: (body: Uint8Array) => speaker.engine.receiveUpdate(FEEDER, body),
  };
}

/** Another speaker, which is to hear what the first one has. */
function listener(): End {
  const speaker = new Speaker(speakerConfig(65002));
  speaker.engine.setInterfaces([link('eth1', ['10.1.0.2/24', 'fd00:1::2/64'])]);
  speaker.engine.endDeferral();
  return { speaker, asn: 65002, address: '10.1.0.2', peer: 0 };
}

/** Communities of so many octets. */
const communities = (octets: number) => attribute(0xc0, 8, new Array<number>(octets).fill(1));

function announcement(octets: number, prefix = '203.0.113.0/24'): Uint8Array {
  const extra = [communities(octets)];
  return updateOctets({ announce: [prefix], nextHop: '10.1.0.1', asPath: [65001], extra });
}

describe.each(['ipv4', 'ipv6'] as const)('%s', (family) => {
  const prefixes = Array.from({ length: 12_000 }, (_, i) =>
    family === 'ipv4' ? `10.${128 + (i >> 8)}.${i & 255}.0/24` : `fd00:2:${i.toString(16)}::/48`,
  );

  test.each([
    [EXTENDED, family === 'ipv4' ? 2 : 3],
    [4096, family === 'ipv4' ? 13 : 23],
  ])('a session of %i octets is filled with messages of that size', (octets, least) => {
    const source = new Speaker(speakerConfig(65001, { originate: prefixes }));
    source.engine.setInterfaces([link('eth1', ['10.1.0.1/24', 'fd00:1::1/64'])]);
    source.engine.endDeferral();
    const sink = listener();
    const session = { maxMessageOctets: octets };
    connect({ speaker: source, asn: 65001, address: '10.1.0.1', peer: 1 }, sink, session);
    settle(source, sink.speaker);
    expect(sink.speaker.engine.received(0, family)).toBe(prefixes.length);
    const { updatesReceived } = sink.speaker.engine.counters(0);
    // And End-of-RIB of both families.
    expect(updatesReceived).toBeGreaterThanOrEqual(least);
    expect(updatesReceived).toBeLessThan(least + 4);

    source.engine.configure(speakerConfig(65001, {}));
    settle(source, sink.speaker);
    expect(sink.speaker.engine.received(0, family)).toBe(0);
    expect(sink.speaker.engine.counters(0).updatesReceived).toBeLessThan(2 * (least + 4));
  });
});

test('a long message of a session that has none ends it', () => {
  const body = announcement(5000);
  expect(fed(4096).receive(body)).toMatchObject({ code: 3, subcode: 1 });
  expect(fed(EXTENDED).receive(body)).toBeUndefined();
});

test('attributes that fit no message of 4096 octets go to peers with longer ones alone', () => {
  const { speaker, end, receive } = fed(EXTENDED);
  expect(receive(announcement(8000))).toBeUndefined();
  expect(receive(announcement(100, '198.51.100.0/24'))).toBeUndefined();
  expect(speaker.best('ipv4')).toHaveLength(2);

  const short = listener();
  connect(end, short, { maxMessageOctets: 4096 });
  settle(speaker, short.speaker);
  expect(short.speaker.best('ipv4')).toEqual(['198.51.100.0/24 10.1.0.1 65000 65001']);

  const long = { ...listener(), address: '10.1.0.3' };
  connect({ ...end, peer: 2 }, long, { maxMessageOctets: EXTENDED });
  settle(speaker, short.speaker, long.speaker);
  expect(long.speaker.best('ipv4')).toHaveLength(2);
});

test('a route whose attributes outgrow short messages is withdrawn from who has it (RFC 8654 section 4)', () => {
  const { speaker, end, receive } = fed(EXTENDED);
  receive(announcement(100));
  const short = listener();
  connect(end, short, { maxMessageOctets: 4096 });
  settle(speaker, short.speaker);
  expect(short.speaker.best('ipv4')).toHaveLength(1);
  receive(announcement(8000));
  settle(speaker, short.speaker);
  expect(short.speaker.best('ipv4')).toEqual([]);
  expect(speaker.best('ipv4')).toHaveLength(1);
});

test('more attributes than anybody has reason to send are a withdrawal', () => {
  const { speaker, receive } = fed(EXTENDED);
  receive(announcement(16_000));
  speaker.run();
  expect(speaker.best('ipv4')).toHaveLength(1);
  expect(receive(announcement(16_800))).toBeUndefined();
  speaker.run();
  expect(speaker.best('ipv4')).toEqual([]);
  expect(speaker.engine.counters(FEEDER).refused).toEqual({ 'treat-as-withdraw': 1 });
});

test('a long AS_PATH of two octets each becomes one of four', () => {
  const { speaker, receive } = fed(EXTENDED, false);
  const segment = [2, 255, ...new Array<number>(255).fill(0).flatMap(() => [0xfd, 0xe9])];
  const path = attribute(0x40, 2, new Array<number[]>(12).fill(segment).flat());
  const rest = [attribute(0x40, 1, [0]), path, attribute(0x40, 3, [10, 1, 0, 1])].flat();
  const octets = [rest.length >> 8, rest.length & 255];
  expect(receive(Uint8Array.from([0, 0, ...octets, ...rest, 24, 203, 0, 113]))).toBeUndefined();
  speaker.run();
  const [route] = speaker.routes('ipv4');
  expect(route?.paths[0]?.asPath).toEqual(new Array(12 * 255).fill(parseAsn(65001)));
});
