import { parseAddress } from '@overland/net';
import { describe, expect, test } from 'vitest';
import { address, theirOpen } from '../../test/machine-script.ts';
import { octetsOf } from '../../test/message-corpus.ts';
import { PureSession } from '../../test/pure-session.ts';
import {
  connect,
  link,
  peerConfig,
  Speaker,
  settle,
  speakerConfig,
} from '../../test/two-speakers.ts';
import { attribute, updateOctets } from '../../test/update-octets.ts';
import incidents from '../../test/vectors/incidents.json' with { type: 'json' };
import type { PeerConfig } from './config.ts';
import { BackOff } from './session/back-off.ts';
import { describeMessage, type Verdict } from './wire/describe-message.ts';
import { encodeMessage, MAX_MESSAGE_OCTETS, MessageType } from './wire/header.ts';

const PEER = 1;
const ASN = 65101;

/** A speaker with one eBGP peer that has announced 10.65.0.0/26. */
function established(overrides: Partial<PeerConfig> = {}) {
  const config = peerConfig('10.1.0.1', 65011, overrides);
  const speaker = speakerConfig(ASN, { peers: [config] });
  const dut = new Speaker(speaker);
  dut.engine.setInterfaces([link('eth0', ['10.1.0.254/24'])]);
  dut.engine.endDeferral();
  const taken: Uint8Array[] = [];
  const session = new PureSession(
    dut,
    { id: PEER, context: { speaker, config } },
    (body) => void taken.push(body),
  );
  session.handle({ type: 'start' });
  session.connect(address('10.1.0.254'));
  return { dut, session, taken };
}

function openSession(overrides?: Partial<PeerConfig>) {
  const world = established(overrides);
  world.session.receive(encodeMessage(MessageType.Open, theirOpen({ restart: 'ipv4! ipv6!' })));
  world.session.receive(encodeMessage(MessageType.Keepalive, new Uint8Array(0)));
  world.session.receive(update(updateOctets({ announce: ['10.65.0.0/26'], asPath: [65011] })));
  return world;
}

const update = (body: Uint8Array): Uint8Array => encodeMessage(MessageType.Update, body);

interface UpdateIncident {
  readonly name: string;
  readonly source: string;
  readonly hex: string;
  readonly verdict: string;
  readonly fourOctetAs?: boolean;
  readonly code?: number;
  readonly subcode?: number;
}

const updates: readonly UpdateIncident[] = incidents.updates;

describe('what has brought speakers down before, as UPDATE of an established session', () => {
  test.each(updates)('$name ($source)', (vector) => {
    const message = update(octetsOf(vector.hex));
    const { code, subcode, fourOctetAs = true } = vector;
    const context = { fourOctetAs, ebgp: true, families: ['ipv4', 'ipv6'] } as const;
    const described = describeMessage(message, { ...context, extended: false });
    expect(described.verdict).toBe(vector.verdict satisfies string as Verdict);
    expect(described.notification?.code).toBe(code);
    expect(described.notification?.subcode).toBe(subcode);
    if (!fourOctetAs) return;
    const { session, taken } = openSession();
    session.receive(message);
    const { fault } = session.closed ?? {};
    expect(session.session === undefined).toBe(vector.verdict === 'session-reset');
    expect(fault && [fault.code, fault.subcode]).toEqual(code && [code, subcode]);
    if (code !== undefined) return;
    // What comes behind is read from where it begins.
    session.receive(update(updateOctets({ withdraw: ['10.65.0.0/26'] })));
    expect(taken).toHaveLength(3);
    expect(session.session).toBeDefined();
  });

  test('mandatory attributes missing while routes are stale: FRR, CVE-2023-46752 and siblings', () => {
    const { session, dut } = openSession();
    session.nowMs = 60_000;
    session.lose();
    expect(dut.engine.counters(PEER).stale.ipv4).toBe(1);
    session.connect(address('10.1.0.254'));
    const open = theirOpen({ restart: 'ipv4! ipv6!', restarted: true });
    session.receive(encodeMessage(MessageType.Open, open));
    session.receive(encodeMessage(MessageType.Keepalive, new Uint8Array(0)));
    session.receive(update(octetsOf('0000 0000 1a0a410000')));
    expect(session.session).toBeDefined();
    expect(dut.engine.counters(PEER)).toMatchObject({ received: { ipv4: 0 }, stale: { ipv4: 0 } });
  });

  test('OTC where our role says no makes the route ineligible, and no more: FRR 20260', () => {
    const { session, dut } = openSession({ role: 'provider' });
    const extra = [attribute(0xc0, 35, [0, 0, 0xfd, 0xf3])];
    session.receive(update(updateOctets({ announce: ['10.65.0.0/26'], asPath: [65011], extra })));
    settle(dut);
    expect(session.session).toBeDefined();
    expect(dut.engine.counters(PEER).refused).toEqual({ 'route-leak': 1 });
    expect(dut.best('ipv4')).toEqual([]);
  });
});

describe('as OPEN', () => {
  test.each(incidents.opens)('$name ($source)', ({ hex, established: isUp }) => {
    const { session } = established();
    session.receive(encodeMessage(MessageType.Open, octetsOf(hex)));
    session.receive(encodeMessage(MessageType.Keepalive, new Uint8Array(0)));
    expect(session.session !== undefined).toBe(isUp);
    if (!isUp) expect(session.closed?.fault).toMatchObject({ code: 2, subcode: 0 });
  });
});

test('attributes that grow past 4096 octets on their way out: withdrawn there, nothing is cut (FRR 18557, 22045)', () => {
  const { dut, session } = openSession();
  const receiver = new Speaker(speakerConfig(65999, { routerId: parseAddress('192.0.2.9') }));
  receiver.engine.setInterfaces([link('eth0', ['10.9.0.9/24'])]);
  receiver.engine.endDeferral();
  connect(
    { speaker: dut, asn: ASN, address: '10.9.0.254', peer: 2 },
    { speaker: receiver, asn: 65999, address: '10.9.0.9', peer: 0 },
  );
  settle(dut, receiver);
  expect(receiver.best('ipv4')).toEqual(['10.65.0.0/26 10.9.0.254 65101 65011']);
  // Room for one prefix, but not for our AS number, too.
  const room = MAX_MESSAGE_OCTETS - 19 - 4 - 5 - 5 - 11 - 8 - 4;
  const extra = [
    attribute(
      0xc0,
      99,
      Array.from({ length: room }, () => 7),
    ),
  ];
  session.receive(update(updateOctets({ announce: ['10.65.0.0/26'], asPath: [65011], extra })));
  expect(session.session).toBeDefined();
  settle(dut, receiver);
  expect(dut.best('ipv4')).toEqual(['10.65.0.0/26 10.1.0.1 65011']);
  expect(receiver.best('ipv4')).toEqual([]);
});

test('a back-off that each attempt would reset: FRR 22358', () => {
  const backOff = new BackOff();
  const waits = [1, 2, 3, 4].map(() => {
    backOff.failed(0);
    return backOff.seconds;
  });
  expect(waits).toEqual([1, 2, 4, 8]);
});
