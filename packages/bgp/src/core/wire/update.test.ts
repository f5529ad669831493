import { readFileSync } from 'node:fs';
import { addressFromBytes, type Family, prefixFromBytes } from '@overland/net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { updateOctets } from '../../../test/update-octets.ts';
import { asNumbers } from './as-path.ts';
import { AttributeSummary } from './attribute-summary.ts';
import type { NlriSection } from './mp-attributes.ts';
import { UpdateDecoder } from './update.ts';

interface Vector {
  readonly name: string;
  readonly source: string;
  readonly hex: string;
  readonly ebgp?: boolean;
  readonly fourOctetAs?: boolean;
  /** RFC 8950 is negotiated for IPv4. */
  readonly extendedNextHop?: boolean;
  readonly announced?: readonly string[];
  readonly withdrawn?: readonly string[];
  readonly discarded?: readonly string[];
  readonly endOfRib?: Family;
  readonly nextHop?: string;
  readonly asPath?: readonly number[];
  readonly asPathLength?: number;
  readonly origin?: number;
  readonly med?: number;
  readonly localPref?: number;
  /** Hex that the attribute set must contain. */
  readonly unknown?: string;
  readonly verdict?: 'session-reset' | 'treat-as-withdraw' | 'attribute-discard';
  readonly code?: number;
  readonly subcode?: number;
  readonly data?: string;
}

const vectors = JSON.parse(
  readFileSync(new URL('../../../test/vectors/update.json', import.meta.url), 'utf8'),
) as { readonly valid: readonly Vector[]; readonly invalid: readonly Vector[] };

const FAMILIES: readonly Family[] = ['ipv4', 'ipv6'];

function decode({ hex, ebgp = true, fourOctetAs = true, extendedNextHop = false }: Vector) {
  const decoder = new UpdateDecoder();
  const body = Uint8Array.from(Buffer.from(hex, 'hex'));
  const fault = decoder.decode(body, {
    ebgp,
    fourOctetAs,
    families: FAMILIES,
    extendedNextHop: extendedNextHop ? ['ipv4'] : [],
  });
  return { decoder, body, fault };
}

/** The prefixes of a section, read in the plainest way. */
function prefixesIn(body: Uint8Array, { family, from, to }: NlriSection): string[] {
  const prefixes: string[] = [];
  for (let at = from; at < to; ) {
    const length = body[at] ?? 0;
    const octets = new Uint8Array(family === 'ipv4' ? 4 : 16);
    const whole = Math.ceil(length / 8);
    octets.set(body.subarray(at + 1, at + 1 + whole));
    prefixes.push(prefixFromBytes(octets, length));
    at += 1 + whole;
  }
  return prefixes;
}

function summaryOf({ attributes }: UpdateDecoder): AttributeSummary {
  const summary = new AttributeSummary();
  summary.read(attributes.octets, 0, attributes.length);
  return summary;
}

function nextHopText(body: Uint8Array, section: NlriSection): string {
  const octets = body.subarray(section.nextHopFrom, section.nextHopFrom + section.nextHopOctets);
  const halves = octets.length === 32 ? [octets.subarray(0, 16), octets.subarray(16)] : [octets];
  return halves.map((half) => addressFromBytes(half)).join(' ');
}

describe('valid UPDATEs', () => {
  test.each(vectors.valid)('$name ($source)', (vector) => {
    const { decoder, body, fault } = decode(vector);
    expect(fault).toBeUndefined();
    expect(decoder.withdrawReason).toBeUndefined();
    expect(decoder.withdrawn.flatMap((section) => prefixesIn(body, section))).toEqual(
      vector.withdrawn ?? [],
    );
    expect(decoder.announced.flatMap((section) => prefixesIn(body, section))).toEqual(
      vector.announced ?? [],
    );
    expect(decoder.discarded).toEqual(vector.discarded ?? []);
    expect(decoder.endOfRib).toBe(vector.endOfRib);
    const section = decoder.announced.find(({ from, to }) => from < to);
    if (!section) return;
    const summary = summaryOf(decoder);
    expect(nextHopText(body, section)).toBe(vector.nextHop);
    expect(asNumbers(summary.asPath)).toEqual(vector.asPath);
    expect(summary.asPathLength).toBe(vector.asPathLength ?? asNumbers(summary.asPath).length);
    expect(summary.origin).toBe(vector.origin);
    expect(summary.med).toBe(vector.med);
    expect(summary.localPref).toBe(vector.localPref);
    const set = Buffer.from(decoder.attributes.octets.subarray(0, decoder.attributes.length));
    if (vector.unknown) expect(set.toString('hex')).toContain(vector.unknown);
    if (vector.name.includes('non-transitive')) expect(set.includes('abc')).toBe(false);
  });
});

describe('invalid UPDATEs cost what RFC 7606 says', () => {
  test.each(vectors.invalid)('$verdict: $name ($source)', (vector) => {
    const { decoder, body, fault } = decode(vector);
    if (vector.verdict === 'session-reset') {
      expect(fault).toMatchObject({ code: vector.code, subcode: vector.subcode });
      const data = Buffer.from(fault?.data ?? []).toString('hex');
      if (vector.data) expect(data).toBe(vector.data);
      return;
    }
    expect(fault).toBeUndefined();
    expect(decoder.announced.flatMap((section) => prefixesIn(body, section))).toEqual(
      vector.announced,
    );
    expect(decoder.withdrawReason !== undefined).toBe(vector.verdict === 'treat-as-withdraw');
    if (vector.discarded) expect(decoder.discarded).toEqual(vector.discarded);
  });
});

const context = fc.record({
  fourOctetAs: fc.boolean(),
  ebgp: fc.boolean(),
  families: fc.subarray([...FAMILIES]),
  extendedNextHop: fc.subarray<Family>(['ipv4']),
});

/** A good message with a few octets changed, cut or repeated: gets further in than noise does. */
const mutated = fc
  .record({
    vector: fc.constantFrom(...vectors.valid, ...vectors.invalid),
    changes: fc.array(fc.record({ at: fc.nat(200), value: fc.nat(255) }), { maxLength: 6 }),
    cut: fc.nat(200),
  })
  .map(({ vector, changes, cut }) => {
    const body = Uint8Array.from(Buffer.from(vector.hex, 'hex'));
    for (const { at, value } of changes) if (at < body.length) body[at] = value;
    return cut < 20 ? body.subarray(0, Math.max(0, body.length - cut)) : body;
  });

test.each([
  ['noise', fc.uint8Array({ maxLength: 5000 })],
  ['damaged messages', mutated],
] as const)('%s never makes the decoder throw, nor leave the message', (_, bodies) => {
  const decoder = new UpdateDecoder();
  fc.assert(
    fc.property(bodies, context, (body, session) => {
      const fault = decoder.decode(body, session);
      if (fault) {
        expect(fault.code).toBe(3);
        return;
      }
      for (const { from, to, nextHopFrom, nextHopOctets } of [
        ...decoder.withdrawn,
        ...decoder.announced,
      ]) {
        expect(from).toBeLessThanOrEqual(to);
        expect(to).toBeLessThanOrEqual(body.length);
        if (from < to) expect(nextHopFrom + nextHopOctets).toBeLessThanOrEqual(body.length);
      }
    }),
    { numRuns: 2000 },
  );
});

test('what a message says is what was put into it, whatever the width of AS numbers', () => {
  const asn = fc.integer({ min: 1, max: 65_535 });
  fc.assert(
    fc.property(
      fc.record({
        asPath: fc.array(asn, { maxLength: 20 }),
        origin: fc.constantFrom(0, 1, 2),
        med: fc.option(fc.nat(), { nil: undefined }),
        communities: fc.option(fc.array(fc.nat(), { minLength: 1, maxLength: 80 }), {
          nil: undefined,
        }),
      }),
      fc.constantFrom(2, 4),
      ({ med, communities, ...rest }, asOctets) => {
        const decoder = new UpdateDecoder();
        const body = updateOctets({
          ...rest,
          ...(med === undefined ? {} : { med }),
          ...(communities ? { communities } : {}),
          origin: rest.origin as 0,
          asOctets: asOctets as 2,
          announce: ['10.65.0.0/26'],
        });
        const fourOctetAs = asOctets === 4;
        expect(
          decoder.decode(body, { ebgp: true, fourOctetAs, families: FAMILIES }),
        ).toBeUndefined();
        const summary = summaryOf(decoder);
        expect(asNumbers(summary.asPath)).toEqual(rest.asPath);
        expect(summary).toMatchObject({ origin: rest.origin, med });
      },
    ),
  );
});
