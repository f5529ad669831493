import { expect, test } from 'vitest';
import { startBgpRun } from './support/bgp-run.ts';
import { startBird } from './support/bird.ts';
import { API, startExabgp } from './support/exabgp.ts';
import { startFrr } from './support/frr.ts';
import { LEFT, RIGHT, transit } from './support/transit.ts';
import { until } from './support/until.ts';

const PREFIX = '10.99.1.0/24';

/** On the left, 12.5 MB/s as IEEE 754, in its transitive form: BIRD keeps the other one in its AS. */
const BIRD = `
router id ${LEFT.theirs.ipv4};
protocol device {}
protocol static { ipv4; route ${PREFIX} blackhole; }
protocol bgp {
  local ${LEFT.theirs.ipv4} as ${LEFT.asn};
  neighbor ${LEFT.ours.ipv4} as 65101;
  hold time 3; keepalive time 1; connect retry time 2; connect delay time 1; error wait time 1, 3;
  ipv4 { import all; export filter {
    bgp_ext_community.add((generic, 0x0004fdf3, 0x4b3ebc20));
    accept;
  }; };
}`;

/** On the right, in megabits per second. */
function frr(bandwidth: number): string {
  return `
bgp route-map delay-timer 1
router bgp ${RIGHT.asn}
 bgp router-id 10.0.0.2
 no bgp ebgp-requires-policy
 no bgp network import-check
 timers bgp 1 3
 neighbor ${RIGHT.ours.ipv4} remote-as 65101
 neighbor ${RIGHT.ours.ipv4} timers connect 1
 address-family ipv4 unicast
  network ${PREFIX}
  neighbor ${RIGHT.ours.ipv4} route-map wide out
 exit-address-family
route-map wide permit 10
 set extcommunity bandwidth ${bandwidth}
`;
}

const SPEAKER = `
asn: 65101
routerId: 10.0.0.5
multipath: { linkBandwidth: true }
peers:
  - { address: ${LEFT.theirs.ipv4}, asn: ${LEFT.asn}, connectRetrySeconds: 1 }
  - { address: ${RIGHT.theirs.ipv4}, asn: ${RIGHT.asn}, connectRetrySeconds: 1 }
`;

/** As BIRD; ExaBGP has no word for it. */
const EXABGP = `
neighbor ${LEFT.ours.ipv4} {
  router-id ${LEFT.theirs.ipv4}; local-address ${LEFT.theirs.ipv4}; local-as ${LEFT.asn}; peer-as 65101;
  hold-time 3;
  family { ipv4 unicast; }
  static { route ${PREFIX} next-hop self extended-community [ 0x0004fdf34b3ebc20 ]; }
  api { processes [ ${API} ]; neighbor-changes; }
}`;

test('ExaBGP and FRR tell theirs', async () => {
  await using net = await transit();
  await using _exabgp = await startExabgp(net.left, EXABGP);
  await using _right = await startFrr(net.right, frr(300));
  await using run = await startBgpRun(net.router, SPEAKER);
  await until(
    () => `the shares are one to three: ${run.log}`,
    async () => {
      const route = await net.router.ip('route', 'show', PREFIX);
      return [LEFT.theirs.ipv4, RIGHT.theirs.ipv4].every((via, i) =>
        new RegExp(`via ${via} .*weight ${[1, 3][i]}\\b`).test(route),
      );
    },
  );
});

test('BIRD and FRR tell their bandwidths, and the kernel shares the load in proportion', async () => {
  await using net = await transit();
  await using _bird = await startBird(net.left, BIRD);
  await using right = await startFrr(net.right, frr(300));
  await using run = await startBgpRun(net.router, SPEAKER);
  const shares = async (): Promise<string> => {
    const route = await net.router.ip('route', 'show', PREFIX);
    return [...route.matchAll(/via ([\d.]+) .*?weight (\d+)/g)]
      .map(([, via, weight]) => `${via} ${weight}`)
      .toSorted()
      .join(', ');
  };
  const has = (expected: string): Promise<unknown> =>
    until(
      () => `${expected}: ${run.log}`,
      async () => (await shares()) === expected,
    );
  await has(`${LEFT.theirs.ipv4} 1, ${RIGHT.theirs.ipv4} 3`);
  expect(await net.router.ip('nexthop', 'show')).toMatch(/group \d+(,3)?\/\d+(,3)? /);

  await right.vtysh(
    'configure terminal',
    'route-map wide permit 10',
    'set extcommunity bandwidth 50',
  );
  await has(`${LEFT.theirs.ipv4} 2, ${RIGHT.theirs.ipv4} 1`);
  await right.vtysh(
    'configure terminal',
    'route-map wide permit 10',
    'no set extcommunity bandwidth',
  );
  await has(`${LEFT.theirs.ipv4} 1, ${RIGHT.theirs.ipv4} 1`);
});
