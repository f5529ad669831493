import { parsePrefix } from '@overland/net';
import { expect, test } from 'vitest';
import {
  link,
  peerConfig,
  Speaker,
  sessionWith,
  settle,
  speakerConfig,
} from '../../../test/two-speakers.ts';
import { type UpdateText, updateOctets } from '../../../test/update-octets.ts';
import type { AddPathSelection, PeerConfig } from '../config.ts';
import { describeMessage } from '../wire/describe-message.ts';

const ASN = 65000;
const PREFIX = '198.51.100.0/24';
const OTHER = '203.0.113.0/24';
const RECEIVER = 9;
const LOCAL = { asn: ASN, address: '10.0.0.254' };
const FAMILIES = ['ipv4', 'ipv6'] as const;

/** A speaker with feeders, eBGP peers of one subnet, and an iBGP peer that takes path identifiers. */
function setUp(selection: AddPathSelection, change: Partial<PeerConfig> = {}) {
  const receiver = (send: AddPathSelection) =>
    peerConfig('10.0.0.9', ASN, { addPath: { receive: false, send }, ...change });
  const config = (send: AddPathSelection) =>
    speakerConfig(ASN, {
      multipath: { maxPaths: 2, relaxAsPath: true },
      peers: [receiver(send)],
    });
  const speaker = new Speaker(config(selection));
  const { engine } = speaker;
  engine.setInterfaces([link('eth0', ['10.0.0.254/24', 'fd00::254/64'])]);
  engine.endDeferral();
  const up = (n: number): void => {
    engine.peerUp(sessionWith(n, peerConfig(`10.0.0.${n}`, 65000 + n), LOCAL));
  };
  for (const n of [1, 2, 3]) up(n);
  const addPath = { receive: [], send: FAMILIES };
  engine.peerUp(sessionWith(RECEIVER, receiver(selection), LOCAL, { addPath }));
  /** `+1 PREFIX`, `-1 PREFIX` of all messages that wait for the receiver. */
  const sent = (): string[] => {
    settle(speaker);
    const lines: string[] = [];
    for (let message = speaker.message(RECEIVER); message; message = speaker.message(RECEIVER)) {
      const context = { fourOctetAs: true, ebgp: false, extended: false } as const;
      const described = describeMessage(message, {
        ...context,
        families: FAMILIES,
        addPath: FAMILIES,
      });
      const { withdrawn = [], announced = [] } = described.update ?? {};
      expect(described.verdict).toBe('ok');
      for (const { prefix, pathId } of withdrawn) lines.push(`-${pathId} ${prefix}`);
      for (const { prefix, pathId } of announced) lines.push(`+${pathId} ${prefix}`);
    }
    return lines.sort();
  };
  // End-of-RIB.
  sent();
  return {
    speaker,
    sent,
    up,
    receive(n: number, update: UpdateText): void {
      const nextHop = `10.0.0.${n}`;
      const body = updateOctets({ asPath: [65000 + n], nextHop, ...update });
      expect(engine.receiveUpdate(n, body)).toBeUndefined();
    },
    select: (send: AddPathSelection) => engine.configure(config(send)),
  };
}

test('every path has an identifier of its own, which stays while its peer has the path', () => {
  const { receive, sent } = setUp('all');
  for (const n of [1, 2, 3]) receive(n, { announce: [PREFIX] });
  expect(sent()).toEqual([`+1 ${PREFIX}`, `+2 ${PREFIX}`, `+3 ${PREFIX}`]);
  receive(2, { announce: [PREFIX], med: 7 });
  expect(sent()).toEqual([`+2 ${PREFIX}`]);
  receive(1, { withdraw: [PREFIX] });
  expect(sent()).toEqual([`-1 ${PREFIX}`]);
});

test('a number that comes to stand for another path is withdrawn first', () => {
  const { receive, sent } = setUp('all');
  receive(1, { announce: [PREFIX] });
  expect(sent()).toEqual([`+1 ${PREFIX}`]);
  receive(1, { withdraw: [PREFIX] });
  receive(2, { announce: [OTHER] });
  expect(sent()).toEqual([`+1 ${OTHER}`, `-1 ${PREFIX}`]);
});

test('of the best two, one that takes the place of another withdraws it', () => {
  const { receive, sent } = setUp({ best: 2 });
  receive(2, { announce: [PREFIX], asPath: [65002, 1] });
  receive(3, { announce: [PREFIX], asPath: [65003, 1] });
  expect(sent()).toEqual([`+1 ${PREFIX}`, `+2 ${PREFIX}`]);
  receive(1, { announce: [PREFIX], asPath: [65001] });
  expect(sent()).toEqual([`+3 ${PREFIX}`, `-2 ${PREFIX}`]);
  receive(2, { withdraw: [PREFIX] });
  expect(sent()).toEqual([`+2 ${PREFIX}`, `-1 ${PREFIX}`]);
});

test('paths that share the load, and no others', () => {
  const { receive, sent, select } = setUp('multipath');
  receive(1, { announce: [PREFIX], asPath: [65001, 1] });
  receive(2, { announce: [PREFIX] });
  receive(3, { announce: [PREFIX] });
  expect(sent()).toEqual([`+2 ${PREFIX}`, `+3 ${PREFIX}`]);
  select('all');
  expect(sent()).toEqual([`+1 ${PREFIX}`, `+2 ${PREFIX}`, `+3 ${PREFIX}`]);
  select({ best: 1 });
  expect(sent()).toEqual([`+2 ${PREFIX}`, `-1 ${PREFIX}`, `-3 ${PREFIX}`]);
});

test('paths that a restarted peer sends again unchanged are not sent on', () => {
  const { receive, sent, speaker, up } = setUp('all');
  receive(1, { announce: [PREFIX, OTHER] });
  expect(sent()).toHaveLength(2);
  speaker.engine.peerDown(1, ['ipv4']);
  up(1);
  receive(1, { announce: [PREFIX] });
  receive(1, { announce: [OTHER], med: 1 });
  expect(sent()).toEqual([`+2 ${OTHER}`]);
});

test('what changes before it is sent is sent as it is then, or not at all', () => {
  const { receive, sent, speaker } = setUp('all', { asn: 65009 as PeerConfig['asn'] });
  receive(1, { announce: [PREFIX] });
  settle(speaker);
  // NO_ADVERTISE, not decided yet.
  receive(1, { announce: [PREFIX], communities: [0xffff_ff02] });
  expect(speaker.message(RECEIVER)).toBeUndefined();
  expect(sent()).toEqual([]);
});

test('an answer to a refresh has every path again', () => {
  const { receive, sent, speaker } = setUp('all');
  for (const n of [1, 2]) receive(n, { announce: [PREFIX] });
  expect(sent()).toHaveLength(2);
  speaker.engine.refresh(RECEIVER, 'ipv4');
  expect(sent()).toEqual([`+1 ${PREFIX}`, `+2 ${PREFIX}`]);
});

test('a default route of ours for the peer has identifier 0, and takes the place of others', () => {
  const change = { families: ['ipv4'], defaultOriginate: true } as const;
  const { receive, sent, speaker } = setUp('all', change);
  speaker.engine.refresh(RECEIVER, 'ipv4');
  expect(sent()).toEqual(['+0 0.0.0.0/0']);
  receive(1, { announce: ['0.0.0.0/0', PREFIX] });
  expect(sent()).toEqual([`+2 ${PREFIX}`]);
});

test('prefixes of one attribute set travel together', () => {
  const { receive, speaker } = setUp('all');
  const announce = Array.from({ length: 200 }, (_, i) => `10.9.${i}.0/24`);
  for (const n of [1, 2]) receive(n, { announce });
  settle(speaker);
  let messages = 0;
  while (speaker.message(RECEIVER)) messages += 1;
  expect(messages).toBe(2);
});

test('a route is told to be pending, advertised, and about to be withdrawn', () => {
  const { receive, sent, speaker } = setUp('all');
  const state = (): string | undefined => {
    settle(speaker);
    const prefix = { prefix: parsePrefix(PREFIX), match: 'exact' } as const;
    return speaker.engine.explain({ prefix, to: RECEIVER }).export?.state;
  };
  for (const n of [1, 2]) receive(n, { announce: [PREFIX] });
  expect(state()).toBe('pending');
  sent();
  expect(state()).toBe('advertised');
  receive(3, { announce: [PREFIX], communities: [0xffff_ff02] });
  for (const n of [1, 2]) receive(n, { withdraw: [PREFIX] });
  expect(state()).toBe('withdrawing');
  sent();
  expect(state()).toBe('withheld');
});

test('what the peer gets is shown with its identifiers', () => {
  const { receive, sent, speaker } = setUp({ best: 2 });
  for (const n of [1, 2, 3]) receive(n, { announce: [PREFIX] });
  sent();
  const query = { family: 'ipv4', limit: 10, advertisedTo: RECEIVER } as const;
  const [route] = speaker.engine.routes(query).routes;
  expect(route?.paths.map(({ pathId, nextHop }) => `${pathId} ${nextHop}`)).toEqual([
    '1 10.0.0.1',
    '2 10.0.0.2',
  ]);
  expect(speaker.engine.counters(RECEIVER).sent.ipv4).toBe(2);
});

test('octets on the wire, IPv6 (RFC 7911 section 3)', () => {
  const { receive, speaker } = setUp('all', { families: ['ipv6'] });
  receive(1, { announce: ['2001:db8::/32'], nextHop: 'fd00::1' });
  receive(2, { announce: ['2001:db8::/32'], nextHop: 'fd00::2' });
  const next = (): string => {
    settle(speaker);
    return Buffer.from(speaker.message(RECEIVER)?.subarray(19) ?? []).toString('hex');
  };
  expect([next(), next()].sort()[0]).toContain(
    `900e001e${'00020110'}fd00000000000000000000000000000100${'00000001'}2020010db8`,
  );
  receive(2, { withdraw: ['2001:db8::/32'] });
  expect(next()).toContain(`900f000c${'000201'}${'00000002'}2020010db8`);
});

test('octets on the wire, IPv4 (RFC 7911 section 3)', () => {
  const { receive, speaker } = setUp('all');
  receive(1, { announce: [PREFIX] });
  settle(speaker);
  const message = speaker.message(RECEIVER)?.subarray(19);
  expect(Buffer.from(message ?? []).toString('hex')).toBe(
    [
      ...['0000', '001b', '40010100', '4002060201', '0000fde9', '4003040a000001'],
      ...['40050400000064', '00000001', '18c63364'],
    ].join(''),
  );
  receive(1, { withdraw: [PREFIX] });
  settle(speaker);
  const withdrawal = speaker.message(RECEIVER)?.subarray(19);
  expect(Buffer.from(withdrawal ?? []).toString('hex')).toBe('00080000000118c633640000');
});
