import type { BfdStatus } from '@overland/bgp/bfd';
import { parseAddress } from '@overland/net';
import { createColors } from 'picocolors';
import { expect, test } from 'vitest';
import { bfdText } from './bfd-text.ts';

const timers = { detectMultiplier: 3, receiveMs: 50, transmitMs: 50, discriminator: 1 };
const session: BfdStatus = {
  key: '10.1.0.1',
  verdict: 'up',
  controlPlaneIndependent: true,
  peer: parseAddress('10.1.0.1'),
  device: null,
  localAddress: null,
  multihop: false,
  minTtl: null,
  passive: false,
  state: 'Up',
  stateSeconds: 3723,
  diagnostic: 'ok',
  local: timers,
  remote: { ...timers, state: 'Up', diagnostic: 'ok' },
  transmitMs: 50,
  detectionMs: 150,
  packetsReceived: 70,
  packetsSent: 80,
  sendErrors: 0,
  timesUp: 1,
  timesDown: 0,
  sendError: null,
};

test('a line per session, and why one is down', () => {
  const down: BfdStatus = {
    ...session,
    key: '10.9.9.9 multihop',
    peer: parseAddress('10.9.9.9'),
    multihop: true,
    state: 'Down',
    diagnostic: 'control detection time expired',
    remote: { ...timers, state: 'AdminDown', diagnostic: 'ok' },
    transmitMs: null,
  };
  const sessions = [session, down];
  const text = bfdText(
    { scheduling: 'fifo', sessions, discarded: { version: 2 } },
    createColors(false),
  );
  expect(text).toBe(
    `Peer      Interface  Type        Status     Since    Tx    Rx  Detection  Ups  Downs  PktsIn  PktsOut
10.1.0.1  -          single hop  up      01:02:03  50ms  50ms      150ms    1      0      70       80
10.9.9.9  -          multihop    down    01:02:03     -  50ms      150ms    1      0      70       80

10.9.9.9 multihop: control detection time expired; peer: shutdown, ok
2 sessions, 1 up; scheduling fifo
discarded: 2 version
`,
  );
});

test.each([
  [{ packetsReceived: 0 }, 'nothing heard of the peer'],
  [{ packetsReceived: 0, passive: true }, 'passive, nothing heard of the peer'],
  [{ sendError: 'ENETUNREACH' }, 'packets cannot be sent: ENETUNREACH'],
])('%j: %s', (change, reason) => {
  const sessions: BfdStatus[] = [{ ...session, state: 'Down', ...change }];
  const text = bfdText({ scheduling: 'nice', sessions, discarded: {} }, createColors(false));
  expect(text).toContain(`10.1.0.1: ${reason}\n`);
});
