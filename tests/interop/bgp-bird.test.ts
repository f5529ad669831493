import { cable, netns, type TestNamespace } from '@overland/linux/testing';
import { describe, expect, test } from 'vitest';
import { type Bird, startBird } from './support/bird.ts';
import { established, peer, speakerConfig, speakerIn } from './support/speaker.ts';
import { until } from './support/until.ts';

const OURS = { ipv4: '10.1.0.0', ipv6: 'fd00:1::' };
const THEIRS = { ipv4: '10.1.0.1', ipv6: 'fd00:1::1' };

interface Lab extends AsyncDisposable {
  readonly host: TestNamespace;
  readonly leaf: TestNamespace;
}

async function lab(): Promise<Lab> {
  const [host, leaf] = [await netns(), await netns()];
  await cable(
    { namespace: host, device: 'eth1', addresses: [`${OURS.ipv4}/31`, `${OURS.ipv6}/127`] },
    { namespace: leaf, device: 'eth1', addresses: [`${THEIRS.ipv4}/31`, `${THEIRS.ipv6}/127`] },
  );
  return {
    host,
    leaf,
    async [Symbol.asyncDispose]() {
      await host[Symbol.asyncDispose]();
      await leaf[Symbol.asyncDispose]();
    },
  };
}

/** @param extra Lines inside both `protocol bgp` blocks. */
function birdConfig(extra = ''): string {
  const session = (family: 'ipv4' | 'ipv6'): string => `
protocol bgp on_${family} {
  local ${THEIRS[family]} as 65011;
  neighbor ${OURS[family]} as 65101;
  hold time 3; keepalive time 1; connect retry time 2; connect delay time 1;
  error wait time 1, 3;
  graceful restart on;
  ${extra}
  ${family} { import all; export all; };
}`;
  return `
router id 10.0.0.1;
protocol device {}
protocol direct { ipv4; ipv6; }
protocol kernel { ipv4 { export all; }; persist; }
protocol kernel { ipv6 { export all; }; persist; }
${session('ipv4')}
${session('ipv6')}
`;
}

const bothPeers = (passive = false) => [
  peer('leaf4', THEIRS.ipv4, { passive }),
  peer('leaf6', THEIRS.ipv6, { passive }),
];

const birdUp = (bird: Bird): Promise<unknown> =>
  until('BIRD is Established', async () => {
    const text = await bird.birdc('show protocols');
    return text.match(/Established/g)?.length === 2;
  });

describe('sessions come up for IPv4 and IPv6', () => {
  test('when we dial', async () => {
    await using net = await lab();
    await using bird = await startBird(net.leaf, birdConfig('passive on;'));
    await using speaker = await speakerIn(net.host, speakerConfig(bothPeers()));
    await established(speaker, 'leaf4', 'leaf6');
    await birdUp(bird);
  });

  test('when BIRD dials', async () => {
    await using net = await lab();
    await using bird = await startBird(net.leaf, birdConfig());
    await using speaker = await speakerIn(net.host, speakerConfig(bothPeers(true)));
    await established(speaker, 'leaf4', 'leaf6');
    await birdUp(bird);
  });

  test('when both dial, and they stay', async () => {
    await using net = await lab();
    await using speaker = await speakerIn(net.host, speakerConfig(bothPeers()));
    await using bird = await startBird(net.leaf, birdConfig('connect delay time 0;'));
    await established(speaker, 'leaf4', 'leaf6');
    await birdUp(bird);
    const drops = speaker.summary().peers.map(({ timesDropped }) => timesDropped);
    expect(drops).toEqual([0, 0]);
  });
});
