import type { Asn } from '@overland/net';
import { expect, test } from 'vitest';
import { MachineScript } from '../../../test/machine-script.ts';
import type { PeerEffect, PeerEvent } from './peer-events.ts';
import { isExternal, type RemoteAs, remoteAsText } from './remote-as.ts';

const OURS = 65101;
const several = [65011, 4_200_000_011] as readonly number[] as readonly Asn[];

/** What becomes of the OPEN of a peer with this AS number. */
function answer(asn: RemoteAs, told: number): string {
  const script = new MachineScript({ asn });
  script.do({ type: 'start' });
  script.connected(1);
  const line = script.open(1, { asn: told });
  return /close 1 with ([\d/]+)/.exec(line)?.[1] ?? /→ (\w+)/.exec(line)?.[1] ?? line;
}

test.each<[RemoteAs, number, string]>([
  [65011 as Asn, 65011, 'OpenConfirm'],
  [65011 as Asn, 65012, '2/2'],
  [several, 65011, 'OpenConfirm'],
  [several, 4_200_000_011, 'OpenConfirm'],
  [several, 65012, '2/2'],
  ['external', 65011, 'OpenConfirm'],
  ['external', 4_200_000_011, 'OpenConfirm'],
  ['external', OURS, '2/2'],
  // Nobody has these: RFC 7607, RFC 6793.
  ['external', 0, '2/2'],
  ['external', 23_456, '2/2'],
])('of %s the number %i: %s', (asn, told, outcome) => {
  expect(answer(asn, told)).toBe(outcome);
});

test('the session knows the number that was told', () => {
  const script = new MachineScript({ asn: 'external' });
  script.do({ type: 'start' });
  script.connected(1);
  script.open(1, { asn: 4_200_000_011 });
  const keepalive = { type: 'message', connection: 1, messageType: 4, body: new Uint8Array() };
  const effects = script.machine.handle(keepalive as PeerEvent, 0);
  const up = effects.find(({ type }) => type === 'up') as Extract<PeerEffect, { type: 'up' }>;
  expect(up.session.peerAsn).toBe(4_200_000_011);
});

test('for people, and whether it is another AS', () => {
  expect([OURS as Asn, several, 'external' as const].map(remoteAsText)).toEqual([
    '65101',
    '65011 or 4200000011',
    'external',
  ]);
  expect(isExternal(OURS as Asn, OURS)).toBe(false);
  expect(isExternal(65011 as Asn, OURS)).toBe(true);
  expect(isExternal(several, OURS)).toBe(true);
  expect(isExternal('external', OURS)).toBe(true);
});
