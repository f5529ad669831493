import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { errorReport, RtrPduError, RtrReader } from './rtr-pdu.ts';
import { type RtrEffect, RtrSession } from './rtr-session.ts';

const hexOf = (octets: Uint8Array): string =>
  Array.from(octets, (octet) => octet.toString(16).padStart(2, '0')).join('');
const octetsOf = (hex: string): Uint8Array =>
  Uint8Array.from(hex.replaceAll(' ', '').match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));

// PDUs written by hand after RFC 8210 section 5; session 0x0203, AS 65001.
const RESPONSE = '01030203 00000008';
const ipv4 = (flags: '00' | '01', octet: string): string =>
  `01040000 00000014 ${flags}181800 c633${octet}00 0000fde9`;
const IPV6 = '01060000 00000020 01203000 20010db8000000000000000000000000 0000fde9';
const end = (serial: string): string => `01070203 00000018 ${serial} 00000e10 00000258 00001c20`;
const notify = (serial: string, session = '0203'): string => `0100${session} 0000000c ${serial}`;
const CACHE_RESET = '01080000 00000008';
const RESET_QUERY = '0102000000000008';

function feed(session: RtrSession, ...hex: readonly string[]): RtrEffect[] {
  const reader = new RtrReader();
  reader.push(octetsOf(hex.join('')));
  const effects: RtrEffect[] = [];
  for (let pdu = reader.next(); pdu; pdu = reader.next()) effects.push(...session.receive(pdu));
  return effects;
}

/** A session that has everything up to serial 5. */
function loaded(): RtrSession {
  const session = new RtrSession();
  expect(hexOf(session.connected())).toBe(RESET_QUERY);
  const [effect] = feed(session, RESPONSE, ipv4('01', '64'), IPV6, end('00000005'));
  expect(effect).toMatchObject({
    type: 'loaded',
    intervals: { refreshSeconds: 3600, retrySeconds: 600, expireSeconds: 7200 },
  });
  if (effect?.type === 'loaded') {
    expect(effect.tables.ipv4.list(1, 9).vrps).toEqual([
      { prefix: '198.51.100.0/24', maxLength: 24, asn: 65001 },
    ]);
    expect(effect.tables.ipv6.list(1, 9).vrps).toEqual([
      { prefix: '2001:db8::/32', maxLength: 48, asn: 65001 },
    ]);
  }
  return session;
}

test('everything is asked for first, then what has changed: by a notice, by time, and after TCP was lost', () => {
  const session = loaded();
  const asked = [{ type: 'send', octets: octetsOf('01010203 0000000c 00000005') }];
  expect(feed(session, notify('00000005'))).toEqual([]);
  expect(feed(session, notify('00000006'))).toEqual(asked);
  // One question at a time.
  expect(session.refresh()).toBeUndefined();
  expect(feed(session, notify('00000007'))).toEqual([]);
  expect(
    feed(session, RESPONSE, ipv4('00', '64'), ipv4('01', '65'), end('00000007')),
  ).toMatchObject([{ type: 'changed', changes: [{ announce: false }, { announce: true }] }]);
  expect(hexOf(session.refresh() ?? new Uint8Array())).toBe('010102030000000c00000007');
  session.disconnected();
  expect(hexOf(session.connected())).toBe('010102030000000c00000007');
});

test('a cache that cannot say what has changed is asked for everything', () => {
  const session = loaded();
  session.refresh();
  expect(feed(session, CACHE_RESET)).toEqual([{ type: 'send', octets: octetsOf(RESET_QUERY) }]);
  expect(feed(session, RESPONSE, ipv4('01', '65'), end('00000001'))).toMatchObject([
    { type: 'loaded' },
  ]);
});

test('a cache that began anew is asked for everything', () => {
  const session = loaded();
  expect(feed(session, notify('00000001', '0204'))).toEqual([
    { type: 'send', octets: octetsOf(RESET_QUERY) },
  ]);
  const other = loaded();
  other.refresh();
  expect(feed(other, RESPONSE.replace('0203', '0204'))).toMatchObject([
    { type: 'failed', again: true },
  ]);
  other.disconnected();
  expect(hexOf(other.connected())).toBe(RESET_QUERY);
});

describe('version 0 (RFC 6810)', () => {
  const V0_END = '00070203 0000000c 00000005';

  test('of a cache that refuses version 1', () => {
    const session = new RtrSession();
    session.connected();
    const refusal = hexOf(errorReport(0, 4, octetsOf(RESET_QUERY), 'version 1'));
    expect(feed(session, refusal)).toMatchObject([{ type: 'failed', again: true }]);
    session.disconnected();
    expect(hexOf(session.connected())).toBe('0002000000000008');
    const v0 = (hex: string): string => hex.replace(/^01/, '00');
    expect(feed(session, v0(RESPONSE), v0(ipv4('01', '64')), V0_END)).toMatchObject([
      { type: 'loaded' },
    ]);
    expect(session.version).toBe(0);
  });

  test('of a cache that simply answers so', () => {
    const session = new RtrSession();
    session.connected();
    const [effect] = feed(session, RESPONSE.replace(/^01/, '00'), V0_END);
    expect(effect).toMatchObject({ type: 'loaded' });
    expect(effect).not.toHaveProperty('intervals');
  });

  test('but not in the middle of a session', () => {
    const session = loaded();
    session.refresh();
    const [sent, failed] = feed(session, RESPONSE.replace(/^01/, '00'));
    expect(sent).toMatchObject({ type: 'send' });
    expect(failed).toMatchObject({ type: 'failed', reason: /Unexpected Protocol Version/ });
  });
});

describe('what a cache may not say', () => {
  test.each([
    ['a prefix twice', [RESPONSE, IPV6, IPV6], 7],
    ['the end of something that was not announced', [RESPONSE, ipv4('00', '64')], 6],
    ['a prefix out of the blue', [IPV6], 3],
    ['an end out of the blue', [end('00000001')], 3],
    ['an end of another session', [RESPONSE, end('00000001').replace('0203', '0204')], 0],
    ['another version', [`02${RESPONSE.slice(2)}`], 4],
  ])('%s', (_, pdus, code) => {
    const session = new RtrSession();
    session.connected();
    const [sent, failed] = feed(session, ...pdus);
    expect(failed).toMatchObject({ type: 'failed', again: false });
    expect(sent?.type === 'send' && hexOf(sent.octets).slice(0, 8)).toBe(
      `010a${code.toString(16).padStart(4, '0')}`,
    );
  });

  test('that it has no data: an error is not answered by an error', () => {
    const session = new RtrSession();
    session.connected();
    const report = hexOf(errorReport(1, 2, octetsOf(RESET_QUERY), 'still\nloading'));
    expect(feed(session, report)).toEqual([
      {
        type: 'failed',
        reason: 'the cache reports No Data Available: still\ufffdloading',
        again: false,
      },
    ]);
  });

  test.each([
    ['a length below the header', '01030203 00000007', 0],
    ['a length without end', '01030203 7fffffff', 0],
    ['a type that there is not', '010b0203 00000008', 5],
    ['a prefix that is cut short', '01040000 00000010 01181800 c6336400', 0],
    ['a maximum below the length', '01040000 00000014 01181000 c6336400 0000fde9', 0],
    ['a length above the address', '01040000 00000014 01182100 c6336400 0000fde9', 0],
    ['octets too many', '01080000 00000009 00', 0],
  ])('%s', (_, hex, code) => {
    const reader = new RtrReader();
    reader.push(octetsOf(hex));
    try {
      reader.next();
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(RtrPduError);
      expect(error).toMatchObject({ code });
    }
  });

  test('no octets make it throw anything else, and it goes on to ask or fails', () => {
    const chunk = fc.uint8Array({ maxLength: 60 });
    const known = fc
      .constantFrom(
        RESPONSE,
        ipv4('01', '01'),
        ipv4('00', '01'),
        IPV6,
        end('00000002'),
        CACHE_RESET,
      )
      .map(octetsOf);
    fc.assert(
      fc.property(fc.array(fc.oneof(chunk, known)), (chunks) => {
        const session = new RtrSession();
        const reader = new RtrReader();
        session.connected();
        try {
          for (const each of chunks) {
            reader.push(each);
            for (let pdu = reader.next(); pdu; pdu = reader.next()) session.receive(pdu);
          }
        } catch (error) {
          expect(error).toBeInstanceOf(RtrPduError);
        }
        session.disconnected();
        expect(session.isWaiting).toBe(false);
        expect(session.connected().length).toBeGreaterThanOrEqual(8);
      }),
      { numRuns: 500 },
    );
  });
});
