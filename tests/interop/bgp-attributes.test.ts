import { createRouteEngine } from '@overland/bgp';
import type { Family } from '@overland/net';
import { expect, test } from 'vitest';
import { startBird } from './support/bird.ts';
import { startFrr } from './support/frr.ts';
import { established, speakerConfig, speakerIn } from './support/speaker.ts';
import { LEFT, RIGHT, TRANSIT_INTERFACES, transit, transitPeers } from './support/transit.ts';
import { until } from './support/until.ts';

const FAMILIES = ['ipv4', 'ipv6'] as const;
/** What each of them announces. */
const OF_BIRD: Record<Family, string> = { ipv4: '10.99.1.0/24', ipv6: 'fd00:99:1::/64' };
const OF_FRR: Record<Family, string> = { ipv4: '10.99.2.0/24', ipv6: 'fd00:99:2::/64' };

const BIRD_CONFIG = `
router id ${LEFT.theirs.ipv4};
protocol device {}
filter mark {
  if source != RTS_STATIC then reject;
  bgp_med = 50;
  bgp_community.add((65011, 7));
  bgp_large_community.add((4200000011, 1, 2));
  bgp_ext_community.add((rt, 65011, 9));
  accept;
}
${FAMILIES.map(
  (family) => `
protocol static { ${family}; route ${OF_BIRD[family]} blackhole; }
protocol bgp on_${family} {
  local ${LEFT.theirs[family]} as ${LEFT.asn};
  neighbor ${LEFT.ours[family]} as 65101;
  hold time 3; keepalive time 1; connect retry time 2; connect delay time 1; error wait time 1, 3;
  ${family} { import all; export filter mark; next hop self; };
}`,
).join('')}
`;

const FRR_CONFIG = `
route-map mark permit 10
 set metric 60
 set community 12:8
 set large-community 4200000012:3:4
 set extcommunity rt 12:10
router bgp ${RIGHT.asn}
 bgp router-id ${RIGHT.theirs.ipv4}
 no bgp ebgp-requires-policy
 no bgp default ipv4-unicast
 no bgp network import-check
 timers bgp 1 3
${FAMILIES.map((family) => ` neighbor ${RIGHT.ours[family]} remote-as 65101\n neighbor ${RIGHT.ours[family]} timers connect 1`).join('\n')}
${FAMILIES.map(
  (family) => ` address-family ${family} unicast
  network ${OF_FRR[family]} route-map mark
  neighbor ${RIGHT.ours[family]} activate
 exit-address-family`,
).join('\n')}
`;

interface FrrRoute {
  readonly paths?: readonly {
    readonly aspath: { readonly string: string };
    readonly community?: { readonly string: string };
    readonly largeCommunity?: { readonly string: string };
    readonly extendedCommunity?: { readonly string: string };
    readonly metric?: number;
  }[];
}

test('attributes pass through us between BIRD and FRR, both ways and for both families', async () => {
  await using net = await transit();
  await using bird = await startBird(net.left, BIRD_CONFIG);
  await using frr = await startFrr(net.right, FRR_CONFIG);
  const config = speakerConfig(transitPeers(), { role: 'router' });
  const engine = createRouteEngine(config);
  await using speaker = await speakerIn(net.router, config, { engine });
  speaker.setInterfaces(TRANSIT_INTERFACES);
  await established(speaker, 'left4', 'left6', 'right4', 'right6');

  for (const family of FAMILIES) {
    const [path] = await until(`FRR has ${OF_BIRD[family]}`, async () => {
      const text = await frr.vtysh(`show bgp ${family} unicast ${OF_BIRD[family]} json`);
      return (JSON.parse(text) as FrrRoute).paths;
    });
    expect(path).toMatchObject({
      aspath: { string: '65101 65011' },
      community: { string: '65011:7' },
      largeCommunity: { string: '4200000011:1:2' },
      extendedCommunity: { string: 'RT:65011:9' },
    });
    expect(path?.metric ?? 0, 'MED is for the neighbouring AS alone').toBe(0);

    const shown = await until(`BIRD has ${OF_FRR[family]}`, async () => {
      const text = await bird.birdc(`show route ${OF_FRR[family]} all`);
      return text.includes('BGP.as_path') ? text : '';
    });
    expect(shown).toMatch(/BGP\.as_path: 65101 4200000012$/m);
    expect(shown).toMatch(/BGP\.community: \(12,8\)$/m);
    expect(shown).toMatch(/BGP\.large_community: \(4200000012, 3, 4\)$/m);
    expect(shown).toMatch(/BGP\.ext_community: \(rt, 12, 10\)$/m);
    expect(shown).not.toContain('BGP.med');

    const { routes } = engine.routes({ family, limit: 10 });
    const meds = routes.map(({ prefix, paths }) => [prefix, paths[0]?.med]);
    expect(Object.fromEntries(meds)).toEqual({ [OF_BIRD[family]]: 50, [OF_FRR[family]]: 60 });
  }
});
