import { createRouteEngine, type PeerConfig } from '@overland/bgp';
import { parsePrefix } from '@overland/net';
import { describe, expect, test } from 'vitest';
import { startBird } from './support/bird.ts';
import { fabric, INTERFACES, OURS, THEIRS } from './support/fabric.ts';
import { startFrr } from './support/frr.ts';
import { startOpenbgpd } from './support/openbgpd.ts';
import { established, peer, peerOf, speakerConfig, speakerIn } from './support/speaker.ts';
import { until } from './support/until.ts';

type Role = NonNullable<PeerConfig['role']>;

const bird = (session: string): string => `
router id 10.0.0.1;
protocol device {}
protocol static { ipv4; route 10.99.1.0/24 blackhole; }
protocol bgp host {
  local ${THEIRS.ipv4} as 65011;
  neighbor ${OURS.ipv4} as 65101;
  hold time 3; keepalive time 1; connect retry time 2; connect delay time 1; error wait time 1, 3;
  ${session}
  ipv4 { import all; export all; };
}
`;

const frr = (session: string): string => `
router bgp 65011
 bgp router-id 10.0.0.1
 no bgp ebgp-requires-policy
 no bgp default ipv4-unicast
 no bgp network import-check
 timers bgp 1 3
 neighbor ${OURS.ipv4} remote-as 65101
 neighbor ${OURS.ipv4} timers connect 1
 ${session}
 address-family ipv4 unicast
  network 10.99.1.0/24
  neighbor ${OURS.ipv4} activate
`;

/** A speaker with one peer and one prefix of its own. */
async function speakerAs(
  net: Awaited<ReturnType<typeof fabric>>,
  role: Role | undefined,
  strictRole = false,
) {
  const config = speakerConfig([peer('leaf4', THEIRS.ipv4, role ? { role, strictRole } : {})], {
    originate: [parsePrefix('10.65.0.0/26')],
  });
  const speaker = await speakerIn(net.host, config, { engine: createRouteEngine(config) });
  speaker.setInterfaces(INTERFACES);
  return speaker;
}

describe('BIRD', () => {
  test('as our customer sees our mark on what we offer', async () => {
    await using net = await fabric();
    await using leaf = await startBird(net.leaf, bird('local role customer; require roles;'));
    await using speaker = await speakerAs(net, 'provider', true);
    await established(speaker, 'leaf4');
    expect(peerOf(speaker, 'leaf4').session?.peerRole).toBe('customer');
    const route = await until('BIRD has ours', async () => {
      const text = await leaf.birdc('show route all 10.65.0.0/26');
      return text.includes('BGP.as_path') ? text : undefined;
    });
    expect(route).toMatch(/BGP\.otc: 65101/);
  });

  test('as our provider marks its own; what we offer upwards is not marked', async () => {
    await using net = await fabric();
    await using leaf = await startBird(net.leaf, bird('local role provider;'));
    await using speaker = await speakerAs(net, 'customer');
    await until('its route is here', () => peerOf(speaker, 'leaf4').prefixesReceived.ipv4 === 1);
    const route = await until('BIRD has ours', async () => {
      const text = await leaf.birdc('show route all 10.65.0.0/26');
      return text.includes('BGP.as_path') ? text : undefined;
    });
    expect(route).not.toContain('otc');
  });

  test('with a role that is no pair to ours is refused, and both sides say so', async () => {
    await using net = await fabric();
    await using leaf = await startBird(net.leaf, bird('local role customer;'));
    await using speaker = await speakerAs(net, 'customer');
    await until('we say so', () => /Role Mismatch/.test(peerOf(speaker, 'leaf4').lastError ?? ''));
    await until('BIRD does', async () =>
      /Role mismatch/i.test(await leaf.birdc('show protocols all host')),
    );
  });

  test('without a role is refused by who insists', async () => {
    await using net = await fabric();
    await using _leaf = await startBird(net.leaf, bird(''));
    await using speaker = await speakerAs(net, 'customer', true);
    await until(
      'we say so',
      () =>
        peerOf(speaker, 'leaf4').lastError ===
        'sent OPEN Message Error/Role Mismatch: role none instead of provider',
    );
  });

  test('that sends us upwards what it may not: the route is refused, the session stays', async () => {
    await using net = await fabric();
    // Without a role of its own BIRD passes on what its filter has marked.
    const leaks = bird('').replace('export all;', 'export filter { bgp_otc = 65009; accept; };');
    await using _leaf = await startBird(net.leaf, leaks);
    await using speaker = await speakerAs(net, 'provider');
    await until('it is refused', () => (peerOf(speaker, 'leaf4').refused['route-leak'] ?? 0) > 0);
    expect(peerOf(speaker, 'leaf4')).toMatchObject({
      state: 'Established',
      timesDropped: 0,
      prefixesReceived: { ipv4: 0, ipv6: 0 },
    });
  });
});

describe('FRR', () => {
  test('as our customer takes our role, and its strictness is met', async () => {
    await using net = await fabric();
    const role = `neighbor ${OURS.ipv4} local-role customer strict-mode`;
    await using leaf = await startFrr(net.leaf, frr(role));
    await using speaker = await speakerAs(net, 'provider', true);
    await established(speaker, 'leaf4');
    expect(peerOf(speaker, 'leaf4').session?.peerRole).toBe('customer');
    const route = await until('FRR has ours', async () => {
      const text = await leaf.vtysh('show bgp ipv4 unicast 10.65.0.0/26 json');
      return text.includes('valid') ? text : undefined;
    });
    expect((JSON.parse(route) as { paths: { otc?: number }[] }).paths[0]?.otc).toBe(65101);
  });

  test('with a role that is no pair to ours is refused', async () => {
    await using net = await fabric();
    const role = `neighbor ${OURS.ipv4} local-role provider`;
    await using _leaf = await startFrr(net.leaf, frr(role));
    await using speaker = await speakerAs(net, 'peer');
    await until('we say so', () => /Role Mismatch/.test(peerOf(speaker, 'leaf4').lastError ?? ''));
    expect(peerOf(speaker, 'leaf4').timesEstablished).toBe(0);
  });
});

describe('OpenBGPD', () => {
  const openbgpd = (role: string): string => `
AS 65011
router-id ${THEIRS.ipv4}
holdtime 3
connect-retry 1
neighbor ${OURS.ipv4} {
  remote-as 65101
  local-address ${THEIRS.ipv4}
  announce policy ${role} enforce
}
allow from any
allow to any
`;

  test('as our customer sees our mark on what we offer it', async () => {
    await using net = await fabric();
    await using leaf = await startOpenbgpd(net.leaf, openbgpd('customer'));
    await using speaker = await speakerAs(net, 'provider', true);
    await established(speaker, 'leaf4');
    expect(peerOf(speaker, 'leaf4').session?.peerRole).toBe('customer');
    await until('it has our route, with OTC', async () =>
      /OTC: 65101\b/i.test(await leaf.bgpctl('show', 'rib', 'detail', '10.65.0.0/26')),
    );
  });

  test('as our customer refuses us where we claim to be its customer, too', async () => {
    await using net = await fabric();
    await using _leaf = await startOpenbgpd(net.leaf, openbgpd('customer'));
    await using speaker = await speakerAs(net, 'customer');
    await until('the roles do not go together', () =>
      peerOf(speaker, 'leaf4').lastError?.includes('Role Mismatch'),
    );
  });
});
