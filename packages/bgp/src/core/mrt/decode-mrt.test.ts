import { parseAddress } from '@overland/net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeMrt } from './decode-mrt.ts';
import { type DescribedMrtRecord, MrtDescriber } from './describe-mrt.ts';
import { MrtError } from './mrt-error.ts';
import { MrtReader, type RawMrtRecord } from './mrt-record.ts';
import { TableDumpWriter } from './table-dump-writer.ts';

const TIMESTAMP = 0x6560_0000;

/** A record with its header, of a body in hexadecimal. */
function record(type: number, subtype: number, body: string): string {
  const octets = body.replaceAll(/\s/g, '');
  const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');
  return `${hex(TIMESTAMP, 8)}${hex(type, 4)}${hex(subtype, 4)}${hex(octets.length / 2, 8)}${octets}`;
}

const octetsOf = (hex: string): Uint8Array =>
  Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));

function recordsOf(octets: Uint8Array, chunk = octets.length): RawMrtRecord[] {
  const reader = new MrtReader();
  const records: RawMrtRecord[] = [];
  for (let at = 0; at < octets.length; at += chunk) {
    reader.push(octets.subarray(at, at + chunk));
    for (let next = reader.next(); next; next = reader.next()) {
      records.push({ ...next, body: next.body.slice() });
    }
  }
  reader.end();
  return records;
}

function describeAll(...records: readonly string[]): DescribedMrtRecord[] {
  const describer = new MrtDescriber();
  return recordsOf(octetsOf(records.join(''))).map((one) => describer.describe(one));
}

// The records below are written by hand after RFC 6396 section 4 and RFC 8050.
const PEER_INDEX = record(
  13,
  1,
  `c0000201 0003 6c6162 0002
   00 c0000202 0a000001 fde9
   03 c0000203 20010db8000000000000000000000001 0001000f`,
);

describe('TABLE_DUMP_V2', () => {
  test('the index of peers', () => {
    expect(describeAll(PEER_INDEX)).toEqual([
      {
        timestamp: TIMESTAMP,
        type: 'peer-index',
        collectorId: '192.0.2.1',
        viewName: 'lab',
        peers: [
          { routerId: '192.0.2.2', address: '10.0.0.1', asn: 65001 },
          { routerId: '192.0.2.3', address: '2001:db8::1', asn: 65551 },
        ],
      },
    ]);
  });

  test('an IPv4 prefix, whose entries name their peers', () => {
    const attributes = '400101 00 400206 0201 0001000f 400304 0a000001';
    const rib = record(13, 2, `00000007 18 c63364 0001 0001 65500000 0014 ${attributes}`);
    const [, described] = describeAll(PEER_INDEX, rib);
    expect(described).toMatchObject({
      type: 'rib',
      sequence: 7,
      prefix: '198.51.100.0/24',
      entries: [
        {
          peerIndex: 1,
          peer: { asn: 65551 },
          originatedSeconds: 0x6550_0000,
          attributes: [
            { name: 'ORIGIN', value: 'igp' },
            { name: 'AS_PATH', value: [{ asns: [65551] }] },
            { name: 'NEXT_HOP', value: '10.0.0.1' },
          ],
        },
      ],
    });
  });

  test.each([
    ['only the next hop, as the RFC says', '800e11 10 20010db8000000000000000000000009'],
    [
      'a whole MP_REACH_NLRI, as some write it',
      '800e15 0002 01 10 20010db8000000000000000000000009 00',
    ],
  ])('an IPv6 prefix with %s', (_, reach) => {
    const attributes = `400101 00 ${reach}`.replaceAll(' ', '');
    const length = (attributes.length / 2).toString(16).padStart(4, '0');
    const rib = record(13, 4, `00000000 20 20010db8 0001 0000 00000000 ${length} ${attributes}`);
    const [described] = describeAll(rib);
    expect(described).toMatchObject({
      prefix: '2001:db8::/32',
      entries: [
        {
          attributes: [{ name: 'ORIGIN' }, { value: { nextHops: ['2001:db8::9'], prefixes: [] } }],
        },
      ],
    });
  });

  test('path identifiers of RFC 8050', () => {
    const rib = record(13, 8, '00000000 08 0a 0001 0000 00000000 0000002a 0004 400101 02');
    expect(describeAll(rib)).toMatchObject([
      { prefix: '10.0.0.0/8', entries: [{ pathId: 42, attributes: [{ value: 'incomplete' }] }] },
    ]);
  });
});

const KEEPALIVE = `${'ff'.repeat(16)}001304`;

describe('BGP4MP', () => {
  test('a message of a session with AS numbers of two octets', () => {
    const body = `fde9 fdea 0003 0001 0a000001 0a000002 ${KEEPALIVE}`;
    expect(describeAll(record(16, 1, body))).toMatchObject([
      {
        type: 'message',
        session: {
          peerAsn: 65001,
          localAsn: 65002,
          interfaceIndex: 3,
          peerAddress: '10.0.0.1',
          localAddress: '10.0.0.2',
        },
        isLocal: false,
        message: { type: 'keepalive', verdict: 'ok' },
      },
    ]);
  });

  test('with microseconds, four octets and IPv6, sent by the collector', () => {
    const ends = `2001${'0'.repeat(27)}1 2001${'0'.repeat(27)}2`;
    const body = `0007a120 0001000f fffffffe 0000 0002 ${ends} ${KEEPALIVE}`;
    expect(describeAll(record(17, 7, body))).toMatchObject([
      {
        microseconds: 500_000,
        session: { peerAsn: 65551, localAsn: 4_294_967_294, peerAddress: '2001::1' },
        isLocal: true,
      },
    ]);
  });

  test('a change of state', () => {
    const body = '0000fde9 0000fdea 0000 0001 0a000001 0a000002 0005 0006';
    expect(describeAll(record(16, 5, body))).toMatchObject([
      { type: 'state-change', from: 'OpenConfirm', to: 'Established' },
    ]);
  });
});

describe('what is not as it should be', () => {
  test('records of other kinds are passed over with their numbers', () => {
    expect(describeAll(record(11, 0, 'abcd'), record(13, 6, 'ab'))).toEqual([
      { timestamp: TIMESTAMP, type: 'other', mrtType: 11, mrtSubtype: 0 },
      { timestamp: TIMESTAMP, type: 'other', mrtType: 13, mrtSubtype: 6 },
    ]);
  });

  test.each([
    ['a record that is cut short', record(13, 2, '00000007 18 c633'), /13\/2 is broken/],
    ['a prefix that is too long', record(13, 2, `00000007 21 ${'00'.repeat(20)}`), /length of 33/],
    ['an address family that there is not', record(16, 1, '0001 0001 0000 0009'), /family 9/],
    ['a file that ends inside a record', PEER_INDEX.slice(0, -2), /ends inside a record/],
    ['a record without end', '65600000000d0002ffffffff', /4294967295 octets/],
  ])('%s', (_, hex, reason) => {
    expect(() => describeAll(hex)).toThrow(reason);
  });

  test('no octets make it throw anything but MrtError', () => {
    const type = fc.constantFrom(13, 16, 17);
    const subtype = fc.integer({ min: 0, max: 12 });
    const body = fc.uint8Array({ maxLength: 80 });
    fc.assert(
      fc.property(type, subtype, body, (mrtType, mrtSubtype, octets) => {
        const raw = { timestamp: 0, type: mrtType, subtype: mrtSubtype, body: octets };
        try {
          new MrtDescriber().describe(raw);
        } catch (error) {
          expect(error).toBeInstanceOf(MrtError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

test('what is written is what is read, however the file is cut into chunks', () => {
  const path = fc.record({
    peerIndex: fc.integer({ min: 0, max: 65_535 }),
    originatedSeconds: fc.integer({ min: 0, max: 0xffff_ffff }),
    origin: fc.integer({ min: 0, max: 2 }),
    isIpv4: fc.boolean(),
  });
  const paths = fc.array(path, { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(
      fc.array(paths),
      fc.integer({ min: 1, max: 200 }),
      fc.boolean(),
      (prefixes, chunk, hasPathIds) => {
        const writer = new TableDumpWriter(TIMESTAMP);
        const collector = parseAddress('192.0.2.1');
        writer.peerIndex(collector, 'a view', []);
        for (const [index, entries] of prefixes.entries()) {
          const dumped = entries.map(({ origin, isIpv4, ...rest }) => ({
            ...rest,
            pathId: 7,
            set: {
              bytes: Uint8Array.of(9, 9, 0x40, 1, 1, origin, 0x80, 16, 0),
              offset: 2,
              length: 7,
            },
            nextHop: new Uint8Array(isIpv4 ? 4 : 16).fill(1),
          }));
          writer.prefix({ family: 'ipv4', hasPathIds }, Uint8Array.of(16, 10, index), dumped);
        }
        const [first, ...ribs] = recordsOf(writer.take(), chunk).map(decodeMrt);
        expect(first).toMatchObject({ type: 'peer-index', viewName: 'a view', peers: [] });
        const next = (isIpv4: boolean): number[] =>
          isIpv4
            ? [0x40, 3, 4, ...Array.from({ length: 4 }, () => 1)]
            : [0x80, 14, 17, 16, ...Array.from({ length: 16 }, () => 1)];
        expect(ribs).toEqual(
          prefixes.map((entries, sequence) => ({
            type: 'rib',
            family: 'ipv4',
            sequence,
            nlri: Uint8Array.of(16, 10, sequence),
            entries: entries.map(({ origin, isIpv4, ...rest }) => ({
              ...rest,
              ...(hasPathIds && { pathId: 7 }),
              attributes: Uint8Array.from([0x40, 1, 1, origin, ...next(isIpv4), 0x80, 16, 0]),
            })),
          })),
        );
      },
    ),
  );
});
