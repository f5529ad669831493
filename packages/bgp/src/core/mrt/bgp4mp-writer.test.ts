import { type IpAddress, parseAddress } from '@overland/net';
import { expect, test } from 'vitest';
import { updateOctets } from '../../../test/update-octets.ts';
import { encodeReceivedUpdate, encodeStateChange } from './bgp4mp-writer.ts';
import { decodeMrt, type MrtSession } from './decode-mrt.ts';
import { MrtReader, type RawMrtRecord } from './mrt-record.ts';

const TIME_MS = 1_700_000_000_123.456;
const BODY = updateOctets({ announce: ['10.1.0.0/16'], nextHop: '10.0.0.1', asPath: [65001] });

const session = (peer: string, local: string, localAsn = 4_200_000_000): MrtSession => ({
  peerAsn: 65001,
  localAsn,
  interfaceIndex: 0,
  peerAddress: parseAddress(peer) as IpAddress,
  localAddress: parseAddress(local) as IpAddress,
});

function read(record: Uint8Array): RawMrtRecord {
  const reader = new MrtReader();
  reader.push(record);
  const raw = reader.next();
  reader.end();
  if (!raw) throw new Error('no record');
  return raw;
}

test.each([
  { fourOctetAs: true, hasPathIds: false, subtype: 4 },
  { fourOctetAs: true, hasPathIds: true, subtype: 9 },
  { fourOctetAs: false, hasPathIds: false, subtype: 1 },
  { fourOctetAs: false, hasPathIds: true, subtype: 8 },
])('an UPDATE as it came: $subtype', ({ subtype, ...format }) => {
  const ends = session('fd00::1', 'fd00::2');
  const raw = read(encodeReceivedUpdate(TIME_MS, ends, format, BODY));
  expect(raw).toMatchObject({ timestamp: 1_700_000_000, type: 17, subtype });
  const message = decodeMrt(raw);
  expect(message).toMatchObject({
    type: 'message',
    microseconds: 123_456,
    // AS numbers that 16 bits have no room for are AS_TRANS.
    session: format.fourOctetAs ? ends : { ...ends, localAsn: 23_456 },
    isLocal: false,
    ...format,
  });
  const { octets } = message as { octets: Uint8Array };
  expect([...octets.slice(0, 16)]).toEqual(Array(16).fill(0xff));
  expect(octets[18]).toBe(2);
  expect([...octets.slice(19)]).toEqual([...BODY]);
});

test('a session that comes up', () => {
  const ends = session('10.0.0.1', '10.0.0.2');
  const raw = read(encodeStateChange(TIME_MS, ends, { from: 1, to: 6 }));
  expect(raw).toMatchObject({ type: 17, subtype: 5 });
  expect(decodeMrt(raw)).toMatchObject({ type: 'state-change', session: ends, from: 1, to: 6 });
});
