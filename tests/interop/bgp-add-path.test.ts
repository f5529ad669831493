import { createRouteEngine, type RouteEngine, type SpeakerConfig } from '@overland/bgp';
import type { TestNamespace } from '@overland/linux/testing';
import type { Family } from '@overland/net';
import { describe, expect, test } from 'vitest';
import { startBird } from './support/bird.ts';
import { fabric, INTERFACES, OURS, THEIRS } from './support/fabric.ts';
import { established, peer, peerOf, speakerConfig, speakerIn } from './support/speaker.ts';
import { until } from './support/until.ts';

const FAMILIES = ['ipv4', 'ipv6'] as const satisfies readonly Family[];
const PREFIX = { ipv4: '10.99.1.0/24', ipv6: 'fd00:99::/64' } as const;

const bothPeers = (change = {}) => [
  peer('leaf4', THEIRS.ipv4, change),
  peer('leaf6', THEIRS.ipv6, change),
];

/** A speaker of ours whose routes can be seen. */
async function routingSpeaker(namespace: TestNamespace, config: SpeakerConfig) {
  const engine = createRouteEngine(config);
  engine.setInterfaces(INTERFACES);
  const speaker = await speakerIn(namespace, config, { engine });
  return { engine, speaker, [Symbol.asyncDispose]: () => speaker.stop('shutdown') };
}

/** MED of each path of the prefix, in order, and whether all have a path identifier of their own. */
function paths(engine: RouteEngine, family: Family): string {
  const { routes } = engine.routes({ family, limit: 10 });
  const found = routes.find(({ prefix }) => prefix === PREFIX[family])?.paths ?? [];
  const identifiers = new Set(found.map(({ pathId }) => pathId).filter((id) => id !== null));
  const meds = found.map(({ med }) => med).toSorted();
  return `${meds.join(' ')}${identifiers.size === found.length ? '' : ' without identifiers'}`;
}

/** BIRD with a route that it has from three of its protocols. */
function birdConfig(names: readonly string[], channel: string): string {
  const sources = names.flatMap((name) =>
    FAMILIES.map(
      (family) => `
protocol static ${name}_${family} { ${family}; route ${PREFIX[family]} blackhole; }`,
    ),
  );
  const sessions = FAMILIES.map(
    (family) => `
protocol bgp on_${family} {
  local ${THEIRS[family]} as 65011;
  neighbor ${OURS[family]} as 65101;
  hold time 3; keepalive time 1; connect retry time 2; connect delay time 1; error wait time 1, 3;
  ${family} { import all; ${channel} export filter {
    if proto = "one_${family}" then bgp_med = 1;
    if proto = "two_${family}" then bgp_med = 2;
    if proto = "three_${family}" then bgp_med = 3;
    accept;
  }; };
}`,
  );
  return ['router id 10.0.0.1;\nprotocol device {}', ...sources, ...sessions].join('\n');
}

describe('BIRD', () => {
  test('BIRD sends several paths, and takes one back', async () => {
    await using net = await fabric();
    const names = ['one', 'two', 'three'];
    await using bird = await startBird(net.leaf, birdConfig(names, 'add paths tx;'));
    const config = speakerConfig(bothPeers({ addPath: { receive: true } }));
    await using ours = await routingSpeaker(net.host, config);
    await established(ours.speaker, 'leaf4', 'leaf6');
    expect(peerOf(ours.speaker, 'leaf4').session?.addPath).toEqual({ receive: ['ipv4'], send: [] });
    for (const family of FAMILIES) {
      await until(
        () => `three paths: ${paths(ours.engine, family)}`,
        () => paths(ours.engine, family) === '1 2 3',
      );
    }
    await bird.configure(birdConfig(['one', 'three'], 'add paths tx;'));
    for (const family of FAMILIES) {
      await until('two paths', () => paths(ours.engine, family) === '1 3');
    }
  });

  test('a session without add-path on either side has one path', async () => {
    await using net = await fabric();
    await using _ = await startBird(net.leaf, birdConfig(['one', 'two'], ''));
    const config = speakerConfig(bothPeers({ addPath: { receive: true } }));
    await using ours = await routingSpeaker(net.host, config);
    await established(ours.speaker, 'leaf4', 'leaf6');
    for (const family of FAMILIES) {
      await until(
        () => `one path: ${paths(ours.engine, family)}`,
        () => /^\d without identifiers$/.test(paths(ours.engine, family)),
      );
    }
  });
});
