import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import vectors from '../../../test/vectors/header.json' with { type: 'json' };
import { BgpError } from './bgp-error.ts';
import { Deframer } from './deframer.ts';
import { encodeKeepalive, encodeMessage, HEADER_OCTETS, MAX_MESSAGE_OCTETS } from './header.ts';

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
