import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BmpStationView } from '@overland/bgp/node';
import type { TestNamespace } from '@overland/linux/testing';
import { expect, test } from 'vitest';
import { captureRun } from '../../packages/cli/src/testing/captured-run.ts';
import { startBgpRun } from './support/bgp-run.ts';
import { Daemon } from './support/daemon.ts';
import { type Fabric, fabric, OURS, THEIRS } from './support/fabric.ts';
import { startFrr } from './support/frr.ts';
import { until } from './support/until.ts';

const PORT = 11_019;

const FRR = `
router bgp 65011
 bgp router-id 10.0.0.1
 no bgp ebgp-requires-policy
 no bgp network import-check
 timers bgp 1 3
 neighbor ${OURS.ipv4} remote-as 65101
 neighbor ${OURS.ipv4} timers connect 1
 address-family ipv4 unicast
  network 10.99.1.0/24
  network 10.99.2.0/24
`;

const SPEAKER = JSON.stringify({
  asn: 65101,
  routerId: '10.0.0.5',
  originate: ['10.65.0.0/26'],
  filters: [
    {
      name: 'import',
      rules: [
        { match: { prefix: { prefix: '10.99.2.0/24', operator: 'equal' } }, action: 'reject' },
        { action: 'accept', set: { localPref: 200 } },
      ],
    },
  ],
  bmp: [
    {
      address: THEIRS.ipv4,
      port: PORT,
      ribs: ['pre-policy', 'post-policy', 'loc-rib', 'out-pre-policy', 'out-post-policy'],
      statisticsSeconds: 1,
    },
  ],
  defaults: { holdSeconds: 3, connectRetrySeconds: 1, import: ['import'] },
  peers: [{ name: 'leaf', address: THEIRS.ipv4, asn: 65011 }],
});

/** Takes everything that is told, and says nothing. */
const SINK = `require('node:net').createServer((s) => s.resume().on('error', () => {})).listen(${PORT})`;

const station = (net: Fabric): Daemon => new Daemon(net.leaf, [process.execPath, '-e', SINK]);

/** Messages of BMP in Wireshark's words. */
async function dissect(net: Fabric, file: string): Promise<string> {
  const bmp = ['-Y', 'bmp', '-d', `tcp.port==${PORT},bmp`] as const;
  return await net.leaf.exec(['tshark', '-n', '-V', '-r', file, ...bmp]);
}

test('what a station is told is what Wireshark reads: sessions, routes before and after import rules, the Loc-RIB', async () => {
  await using net = await fabric();
  const file = join(await mkdtemp(join(tmpdir(), 'bmp-')), 'bmp.pcap');
  await using dump = new Daemon(net.leaf, [
    ...['tcpdump', '-i', 'eth1', '-U', '--immediate-mode', '-w', file, 'tcp', 'port', `${PORT}`],
  ]);
  await until('tcpdump listens', () => dump.output.includes('listening on'));
  await using sink = station(net);
  await using frr = await startFrr(net.leaf, FRR);
  await using ours = await startBgpRun(net.host as TestNamespace, SPEAKER, ['--no-fib']);
  const view = async (): Promise<BmpStationView> => {
    const args = ['bgp', 'bmp', '-o', 'json', '--socket', ours.socket];
    const { out } = await captureRun(args);
    const { stations } = JSON.parse(out) as { readonly stations: readonly BmpStationView[] };
    return stations[0] as BmpStationView;
  };
  await until(
    () => `routes have come: ${ours.log}`,
    async () => {
      const [leaf] = (await ours.summary()).peers;
      return leaf?.prefixesReceived.ipv4 === 1 && (await view()).state === 'up';
    },
  );
  await frr.vtysh('configure terminal', 'router bgp 65011', 'no network 10.99.1.0/24');
  await until('its withdrawal has come', async () => {
    const [leaf] = (await ours.summary()).peers;
    return leaf?.prefixesReceived.ipv4 === 0;
  });
  await frr.vtysh('clear bgp *');
  await until(
    'the session has ended',
    async () => (await ours.summary()).peers[0]?.timesDropped === 1,
  );
  await until(
    'and is up again',
    async () => (await ours.summary()).peers[0]?.state === 'Established',
  );
  const told = (await view()).messagesSent;
  await until('statistics come', async () => (await view()).messagesSent > told + 1);

  await sink.kill('SIGKILL');
  await until('it is missed', async () => (await view()).state !== 'up');
  await using _again = station(net);
  await until('it is told anew', async () => (await view()).timesUp === 2);
  await ours.kill('SIGTERM');
  await until('the goodbye is in the file', async () =>
    (await dissect(net, file)).includes('Termination Message'),
  );
  const text = await dissect(net, file);
  expect(text).not.toContain('Malformed');
  for (const expected of [
    'Type: Initiation Message (4)',
    'Type: Peer Up Notification (3)',
    'Type: Peer Down Notification (2)',
    'Type: Route Monitoring (0)',
    'Type: Statistics Report (1)',
    'Type: Termination Message (5)',
    '10.99.1.0/24',
    '10.99.2.0/24',
    '10.65.0.0/26',
    'Local preference: 200',
    // RFC 8671: what FRR is sent.
    'Flags: 0x10, Adj-RIB-Out',
    'Flags: 0x50, Post-policy, Adj-RIB-Out',
    'Routes in post-policy Adj-RIB-Out (15)',
  ]) {
    expect(text).toContain(expected);
  }
});
