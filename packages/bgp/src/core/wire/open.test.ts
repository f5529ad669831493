import { type Family, type IpAddress, parseAddress } from '@overland/net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import vectors from '../../../test/vectors/open.json' with { type: 'json' };
import { BgpError } from './bgp-error.ts';
import { NO_CAPABILITIES } from './capabilities.ts';
import { HEADER_OCTETS } from './header.ts';
import { MAX_STALE_SECONDS } from './long-lived-restart.ts';
import { decodeOpen, encodeOpen, type Open } from './open.ts';

const bytes = (hex: string): Uint8Array => Buffer.from(hex.replaceAll(' ', ''), 'hex');
const hex = (data: Uint8Array): string => Buffer.from(data).toString('hex');

describe('vectors', () => {
  test.each(vectors.valid)('reads: $name ($source)', (vector) => {
    const open = decodeOpen(bytes(vector.hex));
    expect({ ...open, ...open.capabilities }).toMatchObject(vector.open);
    expect(open.capabilities.families).toEqual(vector.open.families);
  });

  test.each(vectors.invalid)('rejects: $name ($source)', (vector) => {
    const error = catchError(() => decodeOpen(bytes(vector.hex)));
    expect(error).toBeInstanceOf(BgpError);
    expect(error).toMatchObject({ code: vector.code, subcode: vector.subcode });
    expect(hex((error as BgpError).data)).toBe(vector.data ?? '');
  });
});

test('an AS number of four octets puts AS_TRANS into the header field', () => {
  const capabilities = { ...NO_CAPABILITIES, fourOctetAs: 70000 };
  const routerId = parseAddress('10.0.0.1');
  const message = encodeOpen({ asn: 70000, holdSeconds: 3, routerId, capabilities });
  expect(hex(message.subarray(HEADER_OCTETS))).toBe('045ba000030a000001080206410400011170');
});

const family = fc.constantFrom('ipv4' as const, 'ipv6' as const);
const anyOpen: fc.Arbitrary<Open> = fc
  .record({
    asn: fc.integer({ min: 1, max: 0xffff_ffff }),
    holdSeconds: fc.integer({ min: 0, max: 0xffff }),
    routerId: fc.ipV4() as unknown as fc.Arbitrary<IpAddress>,
    families: fc.option(fc.uniqueArray(family, { minLength: 1 }), { nil: undefined }),
    extendedNextHop: fc.subarray<Family>(['ipv4']),
    routeRefresh: fc.boolean(),
    extendedMessages: fc.boolean(),
    enhancedRouteRefresh: fc.boolean(),
    addPath: fc
      .uniqueArray(fc.record({ family, receive: fc.boolean(), send: fc.boolean() }), {
        selector: (entry) => entry.family,
      })
      .map((entries) => entries.filter(({ receive, send }) => receive || send)),
    roles: fc.uniqueArray(fc.integer({ min: 0, max: 255 }), { maxLength: 3 }),
    longLivedRestart: fc.option(
      fc.uniqueArray(
        fc.record({
          family,
          forwarding: fc.boolean(),
          staleSeconds: fc.integer({ min: 0, max: MAX_STALE_SECONDS }),
        }),
        { selector: (entry) => entry.family },
      ),
      { nil: undefined },
    ),
    gracefulRestart: fc.option(
      fc.record({
        restarted: fc.boolean(),
        notification: fc.boolean(),
        restartSeconds: fc.integer({ min: 0, max: 4095 }),
        families: fc.uniqueArray(fc.record({ family, forwarding: fc.boolean() }), {
          selector: (entry) => entry.family,
        }),
      }),
      { nil: undefined },
    ),
  })
  .map(({ asn, holdSeconds, routerId, ...rest }) => ({
    asn,
    holdSeconds,
    routerId,
    capabilities: { ...rest, fourOctetAs: asn },
  }));

test('decode(encode(open)) is open', () => {
  fc.assert(
    fc.property(anyOpen, (open) => {
      expect(decodeOpen(encodeOpen(open).subarray(HEADER_OCTETS))).toEqual(open);
    }),
  );
});

test('any octets are an OPEN or a BgpError', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 10, maxLength: 300 }), (body) => {
      body[0] = 4;
      const error = catchError(() => decodeOpen(body));
      expect(error === undefined || error instanceof BgpError).toBe(true);
    }),
  );
});

function catchError(run: () => unknown): unknown {
  try {
    run();
    return undefined;
  } catch (error) {
    return error;
  }
}
