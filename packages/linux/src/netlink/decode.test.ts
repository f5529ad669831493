import fc from 'fast-check';
import { expect, test } from 'vitest';
import vectors from '../../test/vectors/answers.json' with { type: 'json' };
import { readAddress } from './address-codec.ts';
import type { DeviceNames } from './devices.ts';
import { readLink, readPeerIndex } from './link-codec.ts';
import { type Message, messagesOf, readAnswer } from './message-reader.ts';
import { readNeighbour, readProxy } from './neighbour-codec.ts';
import { readNextHopIdentity, readNextHopObject } from './next-hop-codec.ts';
import { readRoute } from './route-codec.ts';

const devices: DeviceNames = { nameOf: (index) => (index === 3 ? 'eth1' : undefined) };
const noDevices: DeviceNames = { nameOf: () => undefined };

function messageOf(hex: string): Message {
  const [message] = messagesOf(Uint8Array.from(Buffer.from(hex, 'hex')));
  if (message === undefined) throw new Error('the vector holds no message');
  return message;
}

test.each(vectors.links)('link: $name', ({ hex, value, peerIndex }) => {
  expect(readLink(messageOf(hex))).toEqual(value);
  expect(readPeerIndex(messageOf(hex))).toBe(peerIndex);
});

test.each(vectors.addresses)('address: $name', ({ hex, value }) => {
  expect(readAddress(messageOf(hex))).toEqual(value);
});

test.each(vectors.routes)('route: $name', ({ hex, value }) => {
  expect(readRoute(messageOf(hex), devices)).toEqual(value);
});

test.each(vectors.nextHops)('next-hop object: $name', ({ hex, value }) => {
  expect(readNextHopObject(messageOf(hex), devices)).toEqual(value);
  expect(readNextHopIdentity(messageOf(hex))).toEqual({ id: value.id, protocol: value.protocol });
});

test.each(vectors.neighbours)('neighbour: $name', ({ hex, value }) => {
  expect(readNeighbour(messageOf(hex), devices)).toEqual(value);
});

test.each(vectors.answers)('answer: $name', ({ hex, value }) => {
  expect(readAnswer(messageOf(hex))).toEqual(value);
});

test('a proxy entry is read from a dump of proxies', () => {
  const hex = vectors.neighbours.find(({ name }) => name.endsWith('proxy'))?.hex ?? '';
  expect(readProxy(messageOf(hex), devices)).toEqual({ device: 'eth1', address: '10.9.9.9' });
});

test('what leads to an interface that is gone is left out', () => {
  const [route] = vectors.routes;
  const [nextHop] = vectors.nextHops;
  expect(readRoute(messageOf(route?.hex ?? ''), noDevices)).toBeUndefined();
  expect(readNextHopObject(messageOf(nextHop?.hex ?? ''), noDevices)).toBeUndefined();
});

test('routes of other tables are left out', () => {
  const inTable100 = vectors.routes[0]?.hex.replace('08000f00fe000000', '08000f0064000000') ?? '';
  expect(readRoute(messageOf(inTable100), devices)).toBeUndefined();
});

test('several messages in one datagram, and none in rubbish', () => {
  const hex = vectors.routes.map((route) => route.hex).join('');
  const messages = [...messagesOf(Uint8Array.from(Buffer.from(hex, 'hex')))];
  expect(messages.map((message) => readRoute(message, devices))).toEqual(
    vectors.routes.map(({ value }) => value),
  );
  expect([...messagesOf(new Uint8Array(15))]).toEqual([]);
  expect([...messagesOf(new Uint8Array(64))]).toEqual([]);
});

test('attributes cut short or with impossible lengths end the list and never throw', () => {
  const all = [...vectors.routes, ...vectors.nextHops, ...vectors.neighbours, ...vectors.links];
  fc.assert(
    fc.property(
      fc.constantFrom(...all.map(({ hex }) => hex)),
      fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { maxLength: 4 }),
      (hex, edits) => {
        const bytes = Uint8Array.from(Buffer.from(hex, 'hex'));
        // Bodies only: the kernel's own header is taken on trust.
        for (const [at, octet] of edits) if (at + 28 < bytes.length) bytes[at + 28] = octet;
        for (const message of messagesOf(bytes)) {
          const names: DeviceNames = { nameOf: (index) => `if${index}` };
          for (const read of [readRoute, readNextHopObject, readNeighbour, readProxy]) {
            try {
              read(message, names);
            } catch (error) {
              // An attribute of the wrong size cannot be an address or a number.
              expect(error).toBeInstanceOf(RangeError);
            }
          }
        }
      },
    ),
  );
});
