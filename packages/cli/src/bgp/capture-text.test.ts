import type { CaptureRecord } from '@overland/bgp/node';
import { parseAddress } from '@overland/net';
import { expect, test } from 'vitest';
import { coloursFor } from '../colours.ts';
import { CaptureText } from './capture-text.ts';

const MARKER = 'ff'.repeat(16);
const KEEPALIVE = `${MARKER}001304`;
const CEASE = `${MARKER}0015030602`;
/** End-of-RIB, and 10.9.0.0/16 announced. */
const END = `${MARKER}00170200000000`;
const UPDATE = `${MARKER}002e02000000144001010040020602010000fde94003040a010001100a09`;

function record(hex: string, direction: CaptureRecord['direction'] = 'received'): CaptureRecord {
  return {
    timeMicros: 1_767_323_045_678_901,
    direction,
    stream: {
      local: { address: parseAddress('10.1.0.1'), port: 179 },
      remote: { address: parseAddress('10.1.0.2'), port: 40_000 },
    },
    octets: Buffer.from(hex, 'hex').toString('base64'),
  };
}

const newText = () => new CaptureText(coloursFor({}, {}));

test('a line for each message, with when and which way', () => {
  expect(newText().lines(record(KEEPALIVE + CEASE + END, 'sent'))).toBe(
    [
      '2026-01-02T03:04:05.678Z  sent      KEEPALIVE 19 octets',
      '2026-01-02T03:04:05.678Z  sent      NOTIFICATION 21 octets: Cease/Administrative Shutdown (6/2)',
      '2026-01-02T03:04:05.678Z  sent      UPDATE 23 octets: End-of-RIB ipv4',
      '',
    ].join('\n'),
  );
  expect(newText().lines(record(UPDATE))).toContain('UPDATE 46 octets: 1 announced, 0 withdrawn\n');
});

test('messages in pieces, and each direction by itself', () => {
  const text = newText();
  expect(text.lines(record(KEEPALIVE.slice(0, 10)))).toBe('');
  expect(text.lines(record(KEEPALIVE, 'sent'))).toContain('sent      KEEPALIVE');
  expect(text.lines(record(KEEPALIVE.slice(10) + CEASE.slice(0, 36)))).toMatch(
    /KEEPALIVE 19 octets\n$/,
  );
  expect(text.lines(record(CEASE.slice(36)))).toContain('NOTIFICATION');
});

test('a capture that begins within a message', () => {
  const text = newText();
  expect(text.lines(record('0a0b0c'))).toBe('');
  expect(text.lines(record(`0102${KEEPALIVE}`))).toContain('KEEPALIVE 19 octets\n');
});
