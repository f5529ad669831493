import { parsePrefix } from '@overland/net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import headers from '../../../test/vectors/header.json' with { type: 'json' };
import opens from '../../../test/vectors/open.json' with { type: 'json' };
import updates from '../../../test/vectors/update.json' with { type: 'json' };
import { type DescribeContext, describeMessage, type Verdict } from './describe-message.ts';
import { encodeMessage, MessageType } from './header.ts';

const TODAY: DescribeContext = {
  fourOctetAs: true,
  ebgp: true,
  families: ['ipv4', 'ipv6'],
  extended: false,
};

function octets(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex.replaceAll(/\s/g, ''), 'hex'));
}

function update(hex: string, context: Partial<DescribeContext> = {}) {
  const message = encodeMessage(MessageType.Update, octets(hex));
  return describeMessage(message, { ...TODAY, ...context });
}

interface UpdateVector {
  readonly name: string;
  readonly hex: string;
  readonly ebgp?: boolean;
  readonly fourOctetAs?: boolean;
  readonly extendedNextHop?: boolean;
  readonly announced?: readonly string[];
  readonly withdrawn?: readonly string[];
  readonly discarded?: readonly string[];
  readonly verdict?: Verdict;
  readonly code?: number;
  readonly subcode?: number;
}

function traits({ ebgp, fourOctetAs, extendedNextHop }: UpdateVector): Partial<DescribeContext> {
  return {
    ...(ebgp !== undefined && { ebgp }),
    ...(fourOctetAs !== undefined && { fourOctetAs }),
    ...(extendedNextHop && { extendedNextHop: ['ipv4'] }),
  };
}

describe('the verdicts of the decoder', () => {
  test.each(updates.valid as readonly UpdateVector[])('UPDATE: $name', (vector) => {
    const described = update(vector.hex, traits(vector));
    expect(described.verdict).toBe(vector.discarded ? 'attribute-discard' : 'ok');
    const reach = described.update?.attributes.flatMap(({ value }) =>
      value !== null && typeof value === 'object' && 'afi' in value ? [value] : [],
    );
    const all = (own: readonly { prefix: string }[] = [], isReach: boolean) => [
      ...own,
      ...(reach ?? [])
        .filter(({ nextHops }) => (nextHops !== undefined) === isReach)
        .flatMap(({ prefixes }) => prefixes),
    ];
    expect(all(described.update?.announced, true).map(({ prefix }) => prefix)).toEqual(
      vector.announced ?? [],
    );
    expect(all(described.update?.withdrawn, false).map(({ prefix }) => prefix)).toEqual(
      vector.withdrawn ?? [],
    );
  });

  /** What is shorter than an empty UPDATE is refused by its header. */
  const invalid = updates.invalid.filter(({ hex }) => octets(hex).length >= 4);
  test.each(invalid as readonly UpdateVector[])('UPDATE: $name', (vector) => {
    const described = update(vector.hex, traits(vector));
    const { code, subcode } = vector;
    expect(described.verdict).toBe(vector.verdict);
    expect(described.reason).toBeTruthy();
    expect(described.notification?.code).toBe(code);
    expect(described.notification?.subcode).toBe(subcode);
  });

  test.each(opens.invalid)('OPEN: $name', ({ hex, code, subcode }) => {
    const message = encodeMessage(MessageType.Open, octets(hex));
    expect(describeMessage(message, TODAY)).toMatchObject({
      type: 'open',
      verdict: 'session-reset',
      notification: { code, subcode },
    });
  });

  test.each(headers.invalid)('header: $name', ({ hex, code, subcode }) => {
    expect(describeMessage(octets(hex), TODAY)).toMatchObject({
      type: 'unreadable',
      verdict: 'session-reset',
      notification: { code, subcode },
    });
  });
});

test.each([
  ['04 0000 00b4 0a000001 00', 2, 2, 'AS number 0'],
  ['04 fde8 00b4 00000000 00', 2, 3, 'identifier 0.0.0.0'],
  ['04 fde8 0002 0a000001 00', 2, 6, 'hold time 2'],
])('an OPEN that no configuration accepts: %s', (hex, code, subcode, reason) => {
  const message = encodeMessage(MessageType.Open, octets(hex));
  expect(describeMessage(message, TODAY)).toMatchObject({
    verdict: 'session-reset',
    notification: { code, subcode },
    reason,
  });
});

test('attributes in the words of people', () => {
  const described = update(
    `0000 0047 40010100 4002060201 0000fde9 4003040a010001 80040400000007
     c00808 fde80001ffffff01 c0070800 00fde9 0a000001 c0200c 0000fde80000000100000002 e0630101 400600 1a0a410000`,
  );
  const values = Object.fromEntries(
    (described.update?.attributes ?? []).map(({ name, value }) => [name, value]),
  );
  expect(values).toEqual({
    ORIGIN: 'igp',
    AS_PATH: [{ type: 'sequence', asns: [65001] }],
    NEXT_HOP: '10.1.0.1',
    MULTI_EXIT_DISC: 7,
    COMMUNITIES: ['65000:1', 'NO_EXPORT'],
    AGGREGATOR: { asn: 65001, address: '10.0.0.1' },
    LARGE_COMMUNITIES: ['65000:1:2'],
    UNKNOWN: null,
    ATOMIC_AGGREGATE: true,
  });
  expect(described.update?.attributes.find(({ name }) => name === 'UNKNOWN')).toEqual({
    code: 99,
    name: 'UNKNOWN',
    flags: ['optional', 'transitive', 'partial'],
    value: null,
    hex: '01',
  });
});

test('path identifiers, where they were negotiated', () => {
  const hex = '0000 0014 4001010040020602010000fde94003040a010001 00000005 1a0a410000';
  expect(update(hex, { addPath: ['ipv4'] }).update?.announced).toEqual([
    { prefix: parsePrefix('10.65.0.0/26'), pathId: 5 },
  ]);
  expect(update(hex).verdict).toBe('ok'); // Four default routes and a /26: nothing in the octets tells.
  expect(update('0000 0000 000000', { addPath: ['ipv4'] })).toMatchObject({
    verdict: 'session-reset',
    notification: { code: 3, subcode: 10 },
  });
});

test('extended messages are too long without RFC 8654, and never OPENs', () => {
  const nlri = '00'.repeat(5000);
  const hex = `00000014 4001010040020602010000fde94003040a010001 ${nlri}`;
  expect(update(hex)).toMatchObject({ type: 'unreadable', notification: { code: 1, subcode: 2 } });
  expect(update(hex, { extended: true })).toMatchObject({ type: 'update', verdict: 'ok' });
  const open = encodeMessage(MessageType.Open, new Uint8Array(5000));
  expect(describeMessage(open, { ...TODAY, extended: true })).toMatchObject({
    notification: { code: 1, subcode: 2 },
  });
});

test('whatever the octets are, there is an answer that is plain JSON', () => {
  const body = fc.uint8Array({ maxLength: 200 });
  const context = fc.record({
    fourOctetAs: fc.boolean(),
    ebgp: fc.boolean(),
    families: fc.constant(TODAY.families),
    addPath: fc.subarray([...TODAY.families]),
    extended: fc.boolean(),
  });
  fc.assert(
    fc.property(body, fc.integer({ min: 0, max: 6 }), context, (octets, type, traits) => {
      for (const message of [octets, encodeMessage(type, octets)]) {
        const described = describeMessage(message, traits);
        expect(JSON.parse(JSON.stringify(described)).verdict).toBe(described.verdict);
      }
    }),
  );
});
