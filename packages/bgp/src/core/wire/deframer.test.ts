import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import vectors from '../../../test/vectors/header.json' with { type: 'json' };
import { BgpError } from './bgp-error.ts';
import { Deframer } from './deframer.ts';
import {
  encodeKeepalive,
  encodeMessage,
  HEADER_OCTETS,
  MAX_EXTENDED_OCTETS,
  MAX_MESSAGE_OCTETS,
} from './header.ts';

const bytes = (hex: string): Uint8Array => Buffer.from(hex.replaceAll(' ', ''), 'hex');

/** Everything the deframer has now, as `type:body length`, then the error if there is one. */
function drain(deframer: Deframer): string[] {
  const seen: string[] = [];
  try {
    for (let frame = deframer.next(); frame; frame = deframer.next()) {
      seen.push(`${frame.type}:${Buffer.from(frame.body).toString('hex')}`);
    }
  } catch (error) {
    if (!(error instanceof BgpError)) throw error;
    seen.push(`error ${error.code}/${error.subcode} ${Buffer.from(error.data).toString('hex')}`);
  }
  return seen;
}

describe('vectors', () => {
  test.each(vectors.valid)('accepts: $name ($source)', ({ hex, type, bodyOctets }) => {
    const deframer = new Deframer();
    deframer.push(bytes(hex));
    expect(deframer.next()).toMatchObject({ type, body: { length: bodyOctets } });
  });

  test.each(vectors.invalid)('rejects: $name ($source)', ({ hex, code, subcode, data }) => {
    const deframer = new Deframer();
    deframer.push(bytes(hex));
    expect(drain(deframer)).toEqual([`error ${code}/${subcode} ${data}`]);
  });
});

const message = fc
  .oneof(
    fc.constant(encodeKeepalive()),
    fc.uint8Array({ minLength: 4, maxLength: 60 }).map((body) => encodeMessage(2, body)),
    fc.constant(encodeMessage(2, new Uint8Array(MAX_MESSAGE_OCTETS - HEADER_OCTETS))),
  )
  .map((whole) => Buffer.from(whole));

test('however the stream is cut, the messages are the same', () => {
  const cuts = fc.array(fc.integer({ min: 1, max: 5000 }), { maxLength: 30 });
  fc.assert(
    fc.property(fc.array(message, { maxLength: 8 }), cuts, (messages, sizes) => {
      const stream = Buffer.concat(messages);
      const deframer = new Deframer();
      const seen: string[] = [];
      let at = 0;
      for (const size of [...sizes, stream.length]) {
        deframer.push(stream.subarray(at, at + size));
        at += size;
        seen.push(...drain(deframer));
      }
      expect(seen).toEqual(
        messages.map((m) => `${m[18]}:${m.subarray(HEADER_OCTETS).toString('hex')}`),
      );
      expect(deframer.pending).toBe(0);
    }),
  );
});

test('any octets yield messages or one error, and what is kept stays below one message', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 20 }), (chunks) => {
      const deframer = new Deframer();
      for (const chunk of chunks) {
        deframer.push(chunk);
        if (drain(deframer).some((line) => line.startsWith('error'))) return;
        expect(deframer.pending).toBeLessThan(MAX_MESSAGE_OCTETS);
      }
    }),
  );
});

describe('extended messages (RFC 8654)', () => {
  const sized = (type: number, octets: number): Buffer =>
    Buffer.from(encodeMessage(type, new Uint8Array(octets - HEADER_OCTETS).fill(7)));
  const first = (message: Uint8Array, extended: boolean): string => {
    const deframer = new Deframer();
    deframer.extended = extended;
    deframer.push(message);
    return (drain(deframer)[0] ?? 'nothing').slice(0, 20);
  };

  test('UPDATE, NOTIFICATION and ROUTE-REFRESH may be longer, OPEN and KEEPALIVE never', () => {
    for (const [type, outcome] of [
      [2, '2:07'],
      [3, '3:07'],
      [5, '5:07'],
      [1, 'error 1/2 1001'],
      [4, 'error 1/2 1001'],
    ] as const) {
      expect(first(sized(type, MAX_MESSAGE_OCTETS + 1), true).slice(0, outcome.length)).toBe(
        outcome,
      );
      expect(first(sized(type, MAX_MESSAGE_OCTETS + 1), false)).toBe('error 1/2 1001');
    }
    expect(first(sized(2, MAX_EXTENDED_OCTETS), true)).toMatch(/^2:07/);
    expect(first(sized(2, MAX_EXTENDED_OCTETS), false)).toBe('error 1/2 ffff');
  });

  test('however they are cut, they are the same, from when they may come', () => {
    const lengths = fc.array(fc.integer({ min: 23, max: MAX_EXTENDED_OCTETS }), { maxLength: 4 });
    const cuts = fc.array(fc.integer({ min: 1, max: 70_000 }), { maxLength: 12 });
    fc.assert(
      fc.property(lengths, cuts, (octets, sizes) => {
        const stream = Buffer.concat([encodeKeepalive(), ...octets.map((each) => sized(2, each))]);
        const deframer = new Deframer();
        deframer.push(stream.subarray(0, 10));
        expect(deframer.next()).toBeUndefined();
        deframer.extended = true;
        const seen: number[] = [];
        let at = 10;
        for (const size of [...sizes, stream.length]) {
          deframer.push(stream.subarray(at, at + size));
          at += size;
          for (let frame = deframer.next(); frame; frame = deframer.next()) {
            seen.push(frame.body.length + HEADER_OCTETS);
            expect(frame.body.every((octet) => octet === 7)).toBe(true);
          }
          expect(deframer.pending).toBeLessThan(MAX_EXTENDED_OCTETS);
        }
        expect(seen).toEqual([HEADER_OCTETS, ...octets]);
      }),
      { numRuns: 50 },
    );
  });
});
