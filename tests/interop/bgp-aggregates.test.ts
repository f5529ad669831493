import { expect, test } from 'vitest';
import { startBgpRun } from './support/bgp-run.ts';
import { startBird } from './support/bird.ts';
import { fabric, OURS, THEIRS } from './support/fabric.ts';
import { startFrr } from './support/frr.ts';
import { until } from './support/until.ts';

const BIRD = `
router id 10.0.0.1;
protocol device {}
protocol static specifics { ipv4; route 10.65.0.0/26 blackhole; route 10.66.0.0/26 blackhole; }
protocol static specifics6 { ipv6; route fd00:65:1::/64 blackhole; }
protocol bgp host {
  local ${THEIRS.ipv4} as 65011;
  neighbor ${OURS.ipv4} as 65101;
  hold time 3; keepalive time 1; connect retry time 2; connect delay time 1; error wait time 1, 3;
  ipv4 { import all; export where source = RTS_STATIC; };
}
protocol bgp host6 {
  local ${THEIRS.ipv6} as 65011;
  neighbor ${OURS.ipv6} as 65101;
  hold time 3; keepalive time 1; connect retry time 2; connect delay time 1; error wait time 1, 3;
  ipv6 { import all; export where source = RTS_STATIC; };
}
`;

const FILE = JSON.stringify({
  asn: 65101,
  routerId: '10.0.0.5',
  defaults: { holdSeconds: 3, connectRetrySeconds: 1 },
  aggregates: [
    { prefix: '10.64.0.0/12', summaryOnly: true, communities: ['65101:64'] },
    { prefix: 'fd00:65::/32', summaryOnly: true },
  ],
  originate: ['10.70.0.0/26'],
  peers: [
    { address: THEIRS.ipv4, asn: 65011 },
    { address: THEIRS.ipv6, asn: 65011 },
  ],
});

test('BIRD gets our aggregate instead of what is inside it, and the kernel drops what nobody has', async () => {
  await using net = await fabric();
  await using bird = await startBird(net.leaf, BIRD);
  await using _run = await startBgpRun(net.host, FILE);
  const route = (prefix: string): Promise<string> => bird.birdc(`show route all for ${prefix}`);
  await until('BIRD has it', async () =>
    (await route('10.64.0.0/12')).includes('BGP.as_path: 65101'),
  );
  const text = await route('10.64.0.0/12');
  expect(text).toMatch(/BGP.atomic_aggr/);
  expect(text).toMatch(/BGP.aggregator: 10.0.0.5 AS65101/);
  expect(text).toMatch(/BGP.community: \(65101,64\)/);
  expect(await bird.birdc('show route 10.70.0.0/26')).not.toContain('10.70.0.0/26');
  await until('IPv6, too', async () =>
    (await route('fd00:65::/32')).includes('BGP.as_path: 65101'),
  );
  expect(await net.host.ip('route', 'show', 'proto', '86')).toMatch(/blackhole 10.64.0.0\/12/);
  expect(await net.host.ip('-6', 'route', 'show', 'proto', '86')).toMatch(
    /blackhole fd00:65::\/32/,
  );
  await bird.birdc('disable specifics6');
  await until(
    'it goes with its last contributor',
    async () => !(await route('fd00:65::/32')).includes('65101'),
  );
  expect(await net.host.ip('-6', 'route', 'show', 'proto', '86')).not.toContain('fd00:65::/32');
});

test('FRR gets it, too', async () => {
  await using net = await fabric();
  await using frr = await startFrr(
    net.leaf,
    `
router bgp 65011
 bgp router-id 10.0.0.1
 no bgp ebgp-requires-policy
 timers bgp 1 3
 neighbor ${OURS.ipv4} remote-as 65101
 neighbor ${OURS.ipv4} timers connect 1
 address-family ipv4 unicast
  neighbor ${OURS.ipv4} activate
`,
  );
  await using _run = await startBgpRun(net.host, FILE, ['--no-fib']);
  const shown = (): Promise<string> => frr.vtysh('show bgp ipv4 unicast 10.64.0.0/12');
  await until('FRR has it', async () => (await shown()).includes('atomic-aggregate'));
  expect(await shown()).toMatch(/aggregated by 65101 10.0.0.5/);
  expect(await frr.vtysh('show bgp ipv4 unicast')).not.toContain('10.70.0.0/26');
});
