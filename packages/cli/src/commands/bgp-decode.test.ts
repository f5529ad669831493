import { describe, expect, test } from 'vitest';
import { captureRun } from '../testing/captured-run.ts';

const MARKER = 'ff'.repeat(16);
const KEEPALIVE = `${MARKER}001304`;
/** An UPDATE whose ORIGIN is 9: RFC 7606 makes it a withdrawal. */
const BAD_ORIGIN = `${MARKER}003002 0000 0014 40010109 40020602010000fde9 4003040a010001 1a0a410000`;

test('messages one behind the other, with blanks and colons', async () => {
  const { code, out } = await captureRun([
    'bgp',
    'decode',
    KEEPALIVE + KEEPALIVE,
    KEEPALIVE.replaceAll(/(..)/g, '$1:').slice(0, -1),
  ]);
  expect(code).toBe(0);
  expect(out.match(/"type": "keepalive"/g)).toHaveLength(3);
});

test('exit code 1 unless every message is ok', async () => {
  const { code, out } = await captureRun(['bgp', 'decode', BAD_ORIGIN]);
  expect(code).toBe(1);
  expect(JSON.parse(out)).toMatchObject({
    type: 'update',
    verdict: 'treat-as-withdraw',
    reason: 'ORIGIN',
    update: { announced: [{ prefix: '10.65.0.0/26' }] },
  });
});

test('lines are answered by lines, a bad one too', async () => {
  const stdin = [
    JSON.stringify({ hex: KEEPALIVE }),
    JSON.stringify({ hex: BAD_ORIGIN, session: 'ibgp', asn4: true, addPath: [] }),
    JSON.stringify({ hex: 'xy' }),
    '[1]',
    JSON.stringify({ hex: KEEPALIVE, addPath: ['evpn'] }),
  ].join('\n');
  const { code, out } = await captureRun(['bgp', 'decode', '-'], { stdin });
  expect(code).toBe(2);
  const answers = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(answers).toMatchObject([
    { verdict: 'ok' },
    { verdict: 'treat-as-withdraw' },
    { error: "'x' at digit 1 is not hexadecimal" },
    { error: 'not an object with hex' },
    { error: "add-path is for ipv4 or ipv6, not 'evpn'" },
  ]);
});

test.each([
  [['bgp', 'decode', 'abc'], '3 digits are no whole octets'],
  [['bgp', 'decode', '--ibgp', '--ebgp', KEEPALIVE], '--ibgp and --ebgp exclude each other'],
])('%j is refused', async (args, message) => {
  const { code, err } = await captureRun(args);
  expect(code).toBe(2);
  expect(err).toContain(message);
});

/** Records of MRT: a change of state to Established, and one of a kind that is not read. */
const MRT = Buffer.from(
  `65600000 0010 0005 00000018 0000fde9 0000fdea 0000 0001 0a000001 0a000002 00050006 65600000 000b 0000 00000001 ff`.replaceAll(
    ' ',
    '',
  ),
  'hex',
);

describe('an MRT file', () => {
  const decode = (octets: Buffer) => captureRun(['bgp', 'decode', '--mrt', '-'], { stdin: octets });

  test('a line for each record', async () => {
    const { code, out } = await decode(MRT);
    expect(code).toBe(0);
    expect(
      out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toMatchObject([
      { type: 'state-change', session: { peerAsn: 65001 }, from: 'OpenConfirm', to: 'Established' },
      { type: 'other', mrtType: 11, mrtSubtype: 0 },
    ]);
  });

  test('that is broken: what is before is printed, and exit code 1', async () => {
    const { code, out, err } = await decode(MRT.subarray(0, -1));
    expect(code).toBe(1);
    expect(out).toContain('state-change');
    expect(err).toContain('-: the file ends inside a record');
  });

  test('that is not there, and one beside messages', async () => {
    expect(await captureRun(['bgp', 'decode', '--mrt', '/nowhere.mrt'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('cannot read /nowhere.mrt: ENOENT'),
    });
    expect(await captureRun(['bgp', 'decode', '--mrt', '-', KEEPALIVE])).toMatchObject({ code: 2 });
    expect(await captureRun(['bgp', 'decode'])).toMatchObject({ code: 2 });
  });
});
