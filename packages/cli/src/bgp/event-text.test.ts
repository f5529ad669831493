import type { SpeakerEvent } from '@overland/bgp/node';
import { parseAddress } from '@overland/net';
import { expect, test } from 'vitest';
import { coloursFor } from '../colours.ts';
import { eventText } from './event-text.ts';

type Detail<T = SpeakerEvent> = T extends SpeakerEvent
  ? Omit<T, 'id' | 'time' | 'peer' | 'address'>
  : never;

const text = (detail: Detail, whom: Partial<SpeakerEvent> = {}): string => {
  const head = { id: 1, time: '2026-01-02T03:04:05.678Z', peer: 'leaf' };
  const event = { ...head, address: parseAddress('10.1.0.1'), ...detail, ...whom } as SpeakerEvent;
  return eventText(event, coloursFor({}, {}));
};

test.each<[Detail, string]>([
  [{ type: 'state', from: 'OpenSent', to: 'OpenConfirm' }, 'OpenSent to OpenConfirm'],
  [
    { type: 'up', families: ['ipv4', 'ipv6'], holdSeconds: 9 },
    'session is up: IPv4 Unicast, IPv6 Unicast; hold time 9 seconds',
  ],
  [
    { type: 'down', reason: 'TCP was lost', retained: ['ipv4'] },
    'session is down: TCP was lost; routes kept: IPv4 Unicast',
  ],
  [
    {
      type: 'notification',
      direction: 'received',
      code: 6,
      subcode: 2,
      name: 'Cease/Administrative Shutdown',
      communication: 'new fibre',
    },
    'notification received: Cease/Administrative Shutdown (6/2): "new fibre"',
  ],
  [{ type: 'error', reason: 'ECONNREFUSED' }, 'no session: ECONNREFUSED'],
  [
    { type: 'refresh', direction: 'received', kind: 'request', family: 'ipv4' },
    'asks for IPv4 Unicast again',
  ],
  [
    { type: 'limit', verdict: 'above', family: 'ipv4', count: 11, most: 10 },
    'prefixes above the limit: 11 of 10 IPv4 Unicast',
  ],
  [{ type: 'bfd', state: 'down' }, 'BFD is down'],
])('%j', (detail, words) => {
  expect(text(detail)).toBe(`2026-01-02T03:04:05.678Z  leaf (10.1.0.1)  ${words}\n`);
});

test('a peer that is named after its address, and the speaker itself', () => {
  expect(text({ type: 'added' }, { peer: '10.1.0.1' })).toContain('  10.1.0.1  peer added\n');
  expect(text({ type: 'drain', phase: 'drained' }, { peer: null })).toContain(
    '  speaker  out of service: drained\n',
  );
});
