import { describe, expect, test } from 'vitest';
import {
  link,
  peerConfig,
  Speaker,
  sessionWith,
  speakerConfig,
} from '../../../test/two-speakers.ts';
import { endOfRibOctets, updateOctets } from '../../../test/update-octets.ts';
import type { EstablishedSession } from '../index.ts';

const PEER = 1;
const OTHER = 2;
const LOCAL = { asn: 65000, address: '10.1.0.254' };

function setUp(session: Partial<EstablishedSession> = { enhancedRefresh: true }) {
  const speaker = new Speaker(
    speakerConfig(LOCAL.asn, { originate: ['10.65.0.0/26', '10.66.0.0/26', 'fd00:65::/122'] }),
  );
  const { engine } = speaker;
  engine.setInterfaces([link('eth1', ['10.1.0.254/24', 'fd00:1::254/64'])]);
  engine.endDeferral();
  const up = (): void =>
    engine.peerUp(sessionWith(PEER, peerConfig('10.1.0.1', 65001), LOCAL, session));
  up();
  const hear = (body: Uint8Array): void => expect(engine.receiveUpdate(PEER, body)).toBeUndefined();
  const announce = (...prefixes: string[]): void =>
    hear(updateOctets({ announce: prefixes, nextHop: '10.1.0.1', asPath: [65001] }));
  const state = (): string => {
    while (engine.step(1000));
    const { received, stale } = engine.counters(PEER);
    const kept = engine
      .routes({ family: 'ipv4', limit: 100 })
      .routes.flatMap(({ prefix, paths }) =>
        paths.some(({ peer, usable }) => peer !== null && usable) ? [prefix] : [],
      );
    return `${received.ipv4} paths, ${stale.ipv4} stale: ${kept.join(' ')}`;
  };
  return { speaker, engine, up, hear, announce, state };
}

/** `begin`, `end`, or the number of octets of an UPDATE, message by message. */
function said(speaker: Speaker, peer: number): string[] {
  while (speaker.engine.step(1000));
  const all: string[] = [];
  for (let message = speaker.message(peer); message; message = speaker.message(peer)) {
    const kind = ['request', 'begin', 'end'][message[21] ?? 0] ?? '';
    all.push(message[18] === 5 ? `${kind} ${message[20]}` : `update ${message.length}`);
  }
  return all;
}

describe('the peer asks for everything again', () => {
  test('and is told where it begins and ends, and gets all in between', () => {
    const { speaker, engine } = setUp();
    const first = said(speaker, PEER);
    engine.refresh(PEER, 'ipv4');
    const again = said(speaker, PEER);
    const announcements = first.filter((message) => !['update 23', 'update 29'].includes(message));
    expect(again[0]).toBe('begin 1');
    expect(again.at(-1)).toBe('end 1');
    expect(again.slice(1, -1)).toEqual(announcements.slice(0, 1));
    expect(said(speaker, PEER)).toEqual([]);
  });

  test('twice at once: it begins once more, and ends once', () => {
    const { speaker, engine } = setUp();
    said(speaker, PEER);
    engine.refresh(PEER, 'ipv6');
    speaker.message(PEER);
    engine.refresh(PEER, 'ipv6');
    const again = said(speaker, PEER);
    expect([again[0], again.at(-1)]).toEqual(['begin 2', 'end 2']);
    expect(again.filter((message) => message.startsWith('end'))).toHaveLength(1);
  });

  test('before End-of-RIB: there is no beginning (RFC 7313 section 4)', () => {
    const { speaker, engine } = setUp();
    engine.refresh(PEER, 'ipv4');
    expect(said(speaker, PEER).every((message) => message.startsWith('update'))).toBe(true);
  });

  test('without having announced it: it gets routes alone', () => {
    const { speaker, engine } = setUp({});
    said(speaker, PEER);
    engine.refresh(PEER, 'ipv4');
    const again = said(speaker, PEER);
    expect(again).toHaveLength(1);
    expect(again[0]).toMatch(/^update/);
  });

  test('others hear nothing of it', () => {
    const { speaker, engine } = setUp();
    const session = sessionWith(OTHER, peerConfig('10.1.0.2', 65002), LOCAL);
    engine.peerUp({ ...session, enhancedRefresh: true });
    said(speaker, PEER);
    said(speaker, OTHER);
    engine.refresh(PEER, 'ipv4');
    expect(said(speaker, OTHER)).toEqual([]);
  });
});

describe('the peer sends everything again', () => {
  test('what it does not send by the end is gone, and nothing before', () => {
    const { engine, announce, hear, state } = setUp();
    announce('10.9.0.0/24', '10.9.1.0/24', '10.9.2.0/24');
    hear(endOfRibOctets('ipv4'));
    engine.beginRefresh(PEER, 'ipv4');
    expect(state()).toBe('3 paths, 3 stale: 10.9.0.0/24 10.9.1.0/24 10.9.2.0/24');
    announce('10.9.0.0/24', '10.9.2.0/24');
    expect(state()).toBe('3 paths, 1 stale: 10.9.0.0/24 10.9.1.0/24 10.9.2.0/24');
    engine.flushStale(PEER, ['ipv4']);
    expect(state()).toBe('2 paths, 0 stale: 10.9.0.0/24 10.9.2.0/24');
  });

  test('and begins once more before it has ended: nothing is lost', () => {
    const { engine, announce, hear, state } = setUp();
    announce('10.9.0.0/24', '10.9.1.0/24');
    hear(endOfRibOctets('ipv4'));
    engine.beginRefresh(PEER, 'ipv4');
    announce('10.9.0.0/24');
    engine.beginRefresh(PEER, 'ipv4');
    expect(state()).toBe('2 paths, 2 stale: 10.9.0.0/24 10.9.1.0/24');
    announce('10.9.1.0/24');
    engine.flushStale(PEER, ['ipv4']);
    expect(state()).toBe('1 paths, 0 stale: 10.9.1.0/24');
  });

  test('and is lost on the way: graceful restart keeps all of it', () => {
    const { engine, up, announce, hear, state } = setUp();
    announce('10.9.0.0/24', '10.9.1.0/24');
    hear(endOfRibOctets('ipv4'));
    engine.beginRefresh(PEER, 'ipv4');
    announce('10.9.0.0/24');
    engine.peerDown(PEER, ['ipv4']);
    expect(state()).toBe('2 paths, 2 stale: 10.9.0.0/24 10.9.1.0/24');
    up();
    announce('10.9.1.0/24');
    hear(endOfRibOctets('ipv4'));
    expect(state()).toBe('1 paths, 0 stale: 10.9.1.0/24');
  });

  test('and is lost for good: nothing stays', () => {
    const { engine, announce, hear, state } = setUp();
    announce('10.9.0.0/24');
    hear(endOfRibOctets('ipv4'));
    engine.beginRefresh(PEER, 'ipv4');
    engine.peerDown(PEER, []);
    expect(state()).toBe('0 paths, 0 stale: ');
  });

  test('while routes of an earlier session wait for End-of-RIB: that alone counts', () => {
    const { engine, up, announce, state } = setUp();
    announce('10.9.0.0/24', '10.9.1.0/24');
    engine.peerDown(PEER, ['ipv4']);
    up();
    announce('10.9.0.0/24');
    engine.beginRefresh(PEER, 'ipv4');
    expect(state()).toBe('2 paths, 1 stale: 10.9.0.0/24 10.9.1.0/24');
  });

  test('the other family stays as it is', () => {
    const { engine, announce, hear, state } = setUp();
    announce('10.9.0.0/24');
    hear(endOfRibOctets('ipv4'));
    engine.beginRefresh(PEER, 'ipv6');
    engine.flushStale(PEER, ['ipv6']);
    expect(state()).toBe('1 paths, 0 stale: 10.9.0.0/24');
  });
});
