import { chmod, mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DescribedMrtRecord } from '@overland/bgp/mrt';
import type { TestNamespace } from '@overland/linux/testing';
import { expect, test } from 'vitest';
import { captureRun } from '../../packages/cli/src/testing/captured-run.ts';
import { startBgpRun } from './support/bgp-run.ts';
import { startBird } from './support/bird.ts';
import { fabric, OURS, THEIRS } from './support/fabric.ts';
import { startFrr } from './support/frr.ts';
import { startOpenbgpd } from './support/openbgpd.ts';
import { until } from './support/until.ts';

const FRR = `
router bgp 65011
 bgp router-id 10.0.0.1
 no bgp ebgp-requires-policy
 no bgp network import-check
 timers bgp 1 3
 neighbor ${OURS.ipv4} remote-as 65101
 neighbor ${OURS.ipv4} timers connect 1
 address-family ipv4 unicast
  network 10.99.1.0/24 route-map MARK
 exit-address-family
 address-family ipv6 unicast
  neighbor ${OURS.ipv4} activate
  neighbor ${OURS.ipv4} route-map GLOBAL out
  network fd00:99::/64
 exit-address-family
route-map MARK permit 10
 set community 65011:1
 set metric 7
route-map GLOBAL permit 10
 set ipv6 next-hop global ${THEIRS.ipv6}
`;

const SPEAKER = JSON.stringify({
  asn: 65101,
  routerId: '10.0.0.5',
  originate: ['10.65.0.0/26', 'fd00:65::/64'],
  defaults: { holdSeconds: 3, connectRetrySeconds: 1 },
  peers: [{ name: 'leaf', address: THEIRS.ipv4, asn: 65011, families: ['ipv4', 'ipv6'] }],
});

/** Writes a dump of our speaker, which has learned routes of both families from FRR. @returns Path of the file. */
async function dumpOfOurs(): Promise<string> {
  await using net = await fabric();
  await using _frr = await startFrr(net.leaf, FRR);
  await using ours = await startBgpRun(net.host as TestNamespace, SPEAKER);
  await until('routes have come', async () => {
    const [leaf] = (await ours.summary()).peers;
    return leaf?.prefixesReceived.ipv4 === 1 && leaf.prefixesReceived.ipv6 === 1;
  });
  const file = join(await mkdtemp(join(tmpdir(), 'mrt-')), 'rib.mrt');
  const run = await captureRun(['bgp', 'dump', 'mrt', '-w', file, '--socket', ours.socket]);
  expect(run).toEqual({ code: 0, out: '', err: '' });
  return file;
}

async function decode(file: string): Promise<DescribedMrtRecord[]> {
  const { code, out } = await captureRun(['bgp', 'decode', '--mrt', file]);
  expect(code).toBe(0);
  return out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as DescribedMrtRecord);
}

test('our table dump is what bgpdump, OpenBGPD and we ourselves read', async () => {
  const file = await dumpOfOurs();
  expect(await decode(file)).toMatchObject([
    { type: 'peer-index', collectorId: '10.0.0.5', peers: [{ asn: 65101 }, { asn: 65011 }] },
    ...['10.65.0.0/26', '10.99.1.0/24', 'fd00:65::/64', 'fd00:99::/64'].map((prefix) => ({
      type: 'rib',
      prefix,
    })),
  ]);

  await using net = await fabric();
  const lines = (await net.host.exec(['bgpdump', '-m', file])).trim().split('\n');
  const fields = lines.map((line) => line.split('|').slice(5));
  expect(
    fields.map(([prefix, asPath, origin, nextHop]) => [prefix, asPath, origin, nextHop]),
  ).toEqual([
    ['10.65.0.0/26', '', 'IGP', '0.0.0.0'],
    ['10.99.1.0/24', '65011', 'IGP', THEIRS.ipv4],
    ['fd00:65::/64', '', 'IGP', '::'],
    ['fd00:99::/64', '65011', 'IGP', THEIRS.ipv6],
  ]);
  expect(lines[1]).toContain(`|B|${THEIRS.ipv4}|65011|`);
  expect(lines[1]).toContain('|7|65011:1|');

  const openbgpd = await net.host.exec(['/usr/sbin/bgpctl', 'show', 'mrt', 'detail', 'file', file]);
  expect(openbgpd).toContain('BGP routing table entry for 10.99.1.0/24');
  expect(openbgpd).toContain(`Nexthop ${THEIRS.ipv6}`);
});

test('UPDATEs that we record as they come are what bgpdump and we ourselves read', async () => {
  await using net = await fabric();
  const file = join(await mkdtemp(join(tmpdir(), 'mrt-')), 'updates.mrt');
  const speaker = { ...(JSON.parse(SPEAKER) as object), mrtUpdates: { file, maxMegabytes: 1 } };
  {
    await using frr = await startFrr(net.leaf, FRR);
    await using ours = await startBgpRun(net.host as TestNamespace, JSON.stringify(speaker), [
      '--no-fib',
    ]);
    const received = async () => (await ours.summary()).peers[0]?.prefixesReceived;
    await until('routes have come', async () => {
      const { ipv4 = 0, ipv6 = 0 } = (await received()) ?? {};
      return ipv4 === 1 && ipv6 === 1;
    });
    await frr.vtysh('configure terminal', 'router bgp 65011', 'no network 10.99.1.0/24');
    await until('the withdrawal has come', async () => (await received())?.ipv4 === 0);
    await ours.kill('SIGTERM');
  }
  const records = await decode(file);
  expect(records[0]).toMatchObject({ type: 'state-change' });
  expect(records).toContainEqual(
    expect.objectContaining({
      session: expect.objectContaining({ peerAsn: 65011, localAsn: 65101 }),
      message: expect.objectContaining({
        update: expect.objectContaining({ withdrawn: [{ prefix: '10.99.1.0/24' }] }),
      }),
    }),
  );
  const lines = (await net.host.exec(['bgpdump', '-m', file])).trim().split('\n');
  const from = `${THEIRS.ipv4}|65011`;
  for (const expected of [
    `|STATE|${from}|1|6`,
    `|A|${from}|10.99.1.0/24|65011|IGP|${THEIRS.ipv4}|`,
    `|A|${from}|fd00:99::/64|65011|IGP|`,
    `|W|${from}|10.99.1.0/24`,
  ]) {
    expect(lines.filter((line) => line.includes(expected))).toHaveLength(1);
  }
});

test("OpenBGPD's dumps of its table and of what it hears are read", async () => {
  await using net = await fabric();
  const directory = await mkdtemp(join(tmpdir(), 'mrt-'));
  const [table, heard] = [join(directory, 'table.mrt'), join(directory, 'heard.mrt')];
  await using _openbgpd = await startOpenbgpd(
    net.leaf,
    `AS 65011
router-id 10.0.0.1
holdtime min 3
dump all in "${heard}"
dump table-v2 "${table}" 1
neighbor ${OURS.ipv4} {
  remote-as 65101
}
allow from any
allow to any
`,
  );
  await using ours = await startBgpRun(net.host as TestNamespace, SPEAKER, ['--no-fib']);
  await until('the session is up', async () => {
    const [leaf] = (await ours.summary()).peers;
    return leaf?.state === 'Established' && leaf.prefixesSent.ipv4 > 0;
  });
  const prefixesOf = (records: readonly DescribedMrtRecord[]): (string | undefined)[] =>
    records.filter(({ type }) => type === 'rib').map(({ prefix }) => prefix);
  await until('OpenBGPD has dumped our prefix', async () => {
    const octets = await readFile(table).catch(() => Buffer.alloc(0));
    return octets.includes(Buffer.from([26, 10, 65, 0, 0]));
  });
  expect(prefixesOf(await decode(table))).toContain('10.65.0.0/26');

  const messages = (await decode(heard)).filter(({ type }) => type === 'message');
  expect(messages.map(({ message }) => message?.type)).toContain('open');
  expect(messages).toContainEqual(
    expect.objectContaining({
      session: expect.objectContaining({ peerAsn: 65101, peerAddress: OURS.ipv4 }),
      message: expect.objectContaining({
        type: 'update',
        update: expect.objectContaining({ announced: [{ prefix: '10.65.0.0/26' }] }),
      }),
    }),
  );
});

test("FRR's records of what it hears are read", async () => {
  const directory = await mkdtemp(join(tmpdir(), 'mrt-'));
  await chmod(directory, 0o777);
  const file = join(directory, 'frr.mrt');
  await using net = await fabric();
  await using _frr = await startFrr(net.leaf, `dump bgp updates ${file}\n${FRR}`);
  await using _ours = await startBgpRun(net.host as TestNamespace, SPEAKER, ['--no-fib']);
  await until('FRR has recorded our prefix', async () =>
    (await readFile(file).catch(() => Buffer.alloc(0))).includes(Buffer.from([26, 10, 65, 0, 0])),
  );
  const heard = (await decode(file)).filter(({ message }) =>
    message?.update?.announced.some(({ prefix }) => prefix === '10.65.0.0/26'),
  );
  expect(heard[0]?.session).toMatchObject({
    peerAsn: 65101,
    localAsn: 65011,
    peerAddress: OURS.ipv4,
  });
});

test('a table dump is replayed to BIRD as it was, by us', async () => {
  const file = await dumpOfOurs();
  await using net = await fabric();
  await using bird = await startBird(
    net.leaf,
    `
router id 10.0.0.1;
protocol device {}
protocol bgp lab {
  local ${THEIRS.ipv4} as 65012;
  neighbor ${OURS.ipv4} as 65100;
  hold time 9; connect retry time 1; connect delay time 1; error wait time 1, 3;
  ipv4 { import all; export none; };
}
`,
  );
  const speaker = {
    asn: 65_100,
    routerId: '10.0.0.6',
    originateFrom: { mrt: file, peer: THEIRS.ipv4 },
    defaults: { holdSeconds: 9, connectRetrySeconds: 1 },
    peers: [{ name: 'lab', address: THEIRS.ipv4, asn: 65_012 }],
  };
  await using ours = await startBgpRun(net.host as TestNamespace, JSON.stringify(speaker), [
    '--no-fib',
  ]);
  await until(
    () => `the route has come: ${ours.log}`,
    async () => (await bird.birdc('show route for 10.99.1.0/24')).includes('lab'),
  );
  const route = await bird.birdc('show route for 10.99.1.0/24 all');
  expect(route).toContain('BGP.as_path: 65100 65011');
  expect(route).toContain('BGP.community: (65011,1)');
  // What the collector originated itself is not of that peer.
  expect(await bird.birdc('show route for 10.65.0.0/26')).not.toContain('lab');
});
