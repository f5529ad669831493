import { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { HEADER_OCTETS, MessageType } from '../core/wire/header.ts';
import { Transport } from './transport.ts';

const KEEPALIVE = Uint8Array.from({ length: HEADER_OCTETS }, (_, i) => {
  if (i < HEADER_OCTETS - 3) return 0xff;
  return [0, HEADER_OCTETS, MessageType.Keepalive][i - HEADER_OCTETS + 3] ?? 0;
});

/** A transport of a socket that gets what is pushed. */
function received(): { transport: Transport; push: (octets: Uint8Array) => void; socket: Socket } {
  const socket = new Socket();
  const transport = Transport.adopt(socket, {
    taps: new Set(),
    connected: () => undefined,
    readable: () => undefined,
    drained: () => undefined,
    lost: () => undefined,
  });
  return { transport, socket, push: (octets) => void socket.emit('data', octets) };
}

function framesOf(transport: Transport): number[] {
  const types: number[] = [];
  for (let frame = transport.nextFrame(); frame; frame = transport.nextFrame()) {
    types.push(frame.type);
  }
  return types;
}

test('a short chunk does not stop reading; a second one does, until both are taken', () => {
  const { transport, socket, push } = received();
  push(KEEPALIVE);
  expect(socket.isPaused()).toBe(false);
  // The end of a message comes with the next chunk.
  push(Uint8Array.of(...KEEPALIVE, ...KEEPALIVE.subarray(0, 7)));
  expect(socket.isPaused()).toBe(true);
  expect(transport.unreadOctets).toBe(2 * HEADER_OCTETS + 7);
  expect(framesOf(transport)).toEqual([MessageType.Keepalive, MessageType.Keepalive]);
  expect(transport.hasInput).toBe(false);
  expect(socket.isPaused()).toBe(false);
  push(KEEPALIVE.subarray(7));
  expect(framesOf(transport)).toEqual([MessageType.Keepalive]);
});

test('behind a whole read there is more: nothing is read until it is taken', () => {
  const { transport, socket, push } = received();
  const count = Math.ceil((64 * 1024) / HEADER_OCTETS);
  const chunk = new Uint8Array(count * HEADER_OCTETS);
  for (let i = 0; i < count; i += 1) chunk.set(KEEPALIVE, i * HEADER_OCTETS);
  push(chunk);
  expect(socket.isPaused()).toBe(true);
  expect(framesOf(transport)).toHaveLength(count);
  expect(socket.isPaused()).toBe(false);
});
