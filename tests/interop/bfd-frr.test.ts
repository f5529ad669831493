import { describe, expect, test } from 'vitest';
import { startBfdRun } from './support/bfd-run.ts';
import { fabric, OURS, THEIRS } from './support/fabric.ts';
import { type Frr, startFrr } from './support/frr.ts';
import { until } from './support/until.ts';

const FAST = `
  receive-interval 50
  transmit-interval 50
  detect-multiplier 3
 !`;
const PACE = 'tx=50,rx=50,multiplier=3';

interface FrrBfdPeer {
  readonly peer: string;
  readonly status: string;
  readonly diagnostic: string;
  readonly 'remote-diagnostic': string;
  readonly 'remote-transmit-interval': number;
  readonly 'remote-detect-multiplier': number;
}

/** FRR's view of the session with this address of ours. */
async function theirs(frr: Frr, peer: string): Promise<FrrBfdPeer | undefined> {
  const peers = JSON.parse(await frr.vtysh('show bfd peers json')) as FrrBfdPeer[];
  return peers.find((candidate) => candidate.peer === peer);
}

const both = `
bfd
 peer ${OURS.ipv4} interface eth1${FAST}
 peer ${OURS.ipv6} local-address ${THEIRS.ipv6} interface eth1${FAST}
!
`;

describe('single hop', () => {
  test('IPv4 and IPv6 come up at the agreed pace, and a killed bfdd is missed in time', async () => {
    await using net = await fabric();
    await using frr = await startFrr(net.leaf, both, { bfd: true });
    const keys = [THEIRS.ipv4, THEIRS.ipv6];
    await using bfd = await startBfdRun(net.host, ...keys.map((key) => `${key},${PACE}`));
    for (const key of keys) {
      await bfd.reaches(key, 'Up');
      await until('the pace is agreed', async () => (await bfd.session(key)).detectionMs === 150);
    }
    for (const peer of [OURS.ipv4, OURS.ipv6]) {
      await until(`FRR has ${peer} up`, async () => (await theirs(frr, peer))?.status === 'up');
    }
    expect(await theirs(frr, OURS.ipv4)).toMatchObject({
      'remote-transmit-interval': 50,
      'remote-detect-multiplier': 3,
    });

    const killedMs = performance.now();
    await frr.killBfdd('SIGKILL');
    for (const key of keys) {
      const { atMs, diagnostic, verdict } = await bfd.reaches(key, 'Down');
      expect([diagnostic, verdict]).toEqual(['control detection time expired', 'down']);
      expect(atMs - killedMs).toBeLessThan(300);
    }
  });

  test('when we are stopped FRR hears that it is on purpose', async () => {
    await using net = await fabric();
    await using frr = await startFrr(net.leaf, both, { bfd: true });
    await using bfd = await startBfdRun(net.host, `${THEIRS.ipv4},${PACE}`);
    await bfd.reaches(THEIRS.ipv4, 'Up');
    await bfd.kill('SIGTERM');
    await until('FRR knows', async () => {
      const peer = await theirs(frr, OURS.ipv4);
      return peer?.['remote-diagnostic'] === 'administratively down';
    });
    expect((await theirs(frr, OURS.ipv4))?.diagnostic).toBe('neighbor signaled session down');
  });

  test('when FRR is shut down that says nothing about the path', async () => {
    await using net = await fabric();
    await using frr = await startFrr(net.leaf, both, { bfd: true });
    await using bfd = await startBfdRun(net.host, `${THEIRS.ipv4},${PACE}`);
    await bfd.reaches(THEIRS.ipv4, 'Up');
    const peer = `peer ${OURS.ipv4} interface eth1`;
    await frr.vtysh('configure terminal', 'bfd', peer, 'shutdown');
    const { verdict, remote } = await bfd.reaches(THEIRS.ipv4, 'Down');
    expect([verdict, remote.state]).toEqual(['admin-down', 'AdminDown']);
    await frr.vtysh('configure terminal', 'bfd', peer, 'no shutdown');
    expect((await bfd.reaches(THEIRS.ipv4, 'Up')).verdict).toBe('up');
  });

  test('a link that is cut one way is down for both', async () => {
    await using net = await fabric();
    await using frr = await startFrr(net.leaf, both, { bfd: true });
    await using bfd = await startBfdRun(net.host, `${THEIRS.ipv4},${PACE}`);
    await bfd.reaches(THEIRS.ipv4, 'Up');
    // FRR goes on hearing us; what it sends gets lost.
    const drop =
      'add table ip cut { chain in { type filter hook ingress device eth1 priority 0; }; }';
    await net.host.exec(['nft', drop.replace('table ip', 'table netdev')]);
    await net.host.exec(['nft', 'add rule netdev cut in udp dport 3784 drop']);
    const { diagnostic } = await bfd.reaches(THEIRS.ipv4, 'Down');
    expect(diagnostic).toBe('control detection time expired');
    await until('FRR is told', async () => {
      const peer = await theirs(frr, OURS.ipv4);
      return peer?.status !== 'up' && peer?.diagnostic === 'neighbor signaled session down';
    });
  });
});

test.each([
  ['ipv4', '10.9.0.1', '10.9.0.2', 32],
  ['ipv6', 'fd00:9::1', 'fd00:9::2', 128],
] as const)(
  'multihop %s between loopbacks, with a least TTL',
  async (family, ours, peer, length) => {
    await using net = await fabric();
    const config = `
bfd
 peer ${ours} multihop local-address ${peer}
  minimum-ttl 254${FAST}
!
`;
    for (const [namespace, own, other, via] of [
      [net.host, ours, peer, THEIRS[family]],
      [net.leaf, peer, ours, OURS[family]],
    ] as const) {
      await namespace.ip(
        'address',
        'add',
        `${own}/${length}`,
        'dev',
        'lo',
        ...(length > 32 ? ['nodad'] : []),
      );
      await namespace.ip('route', 'add', `${other}/${length}`, 'via', via);
    }
    await using frr = await startFrr(net.leaf, config, { bfd: true });
    const argument = `${peer},${PACE},multihop,min-ttl=255,local=${ours}`;
    await using bfd = await startBfdRun(net.host, argument);
    await bfd.reaches(`${peer} multihop`, 'Up');
    await until('FRR has it up', async () => (await theirs(frr, ours))?.status === 'up');
  },
);
