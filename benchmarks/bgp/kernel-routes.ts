import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { nextHopGroup, openKernel, PROTOCOL, type Route, runInNamespace } from '@overland/linux';
import type { TestNamespace } from '@overland/linux/testing';
import { prefixFromBytes } from '@overland/net';
import { nowMs } from './clock.ts';
import { PATIENCE_SECONDS, play, type Scenario } from './scenario.ts';
import { feederAddress, type Stage, stage } from './stage.ts';
import { announcements } from './tables.ts';

const PREFIXES = 100_000;
const FEEDER_ASNS = [65011, 65012] as const;
const POLL_MS = 20;
/** As many messages in one send as the speaker's. */
const BATCH = 128;
const family = 'ipv4';

/** Row g: two eBGP peers announce the same prefixes, which go into the kernel with both as next hops. */
export const kernelRoutes: Scenario = {
  prepare(scale) {
    const prefixes = Math.round(PREFIXES * scale);
    const feeders = FEEDER_ASNS.map((asn, i) => {
      const address = feederAddress(family, i);
      // One seed: paths of one length, so that both are used.
      const shape = { family, prefixes, nextHop: address, firstAs: asn, seed: 1 } as const;
      return { address, asn, tables: { all: announcements(shape) }, tallies: false };
    });
    return async (router) => {
      if (!router.writesKernel) throw new Error('does not write the kernel here');
      const bareMs = await bare(prefixes);
      await using scene = await play(router, { family, feeders, receivers: [], kernelPaths: 2 });
      const namespace = scene.stage.router;
      const before = routesIn(namespace);
      const figures = await scene.measure(
        () => scene.feeders.ask({ type: 'send', table: 'all' }, 60),
        () => filled(namespace, before + prefixes),
      );
      return { g: { ...figures, bareMs } };
    };
  },
};

/** When the namespace has so many IPv4 routes. */
export async function filled(namespace: TestNamespace, routes: number): Promise<number> {
  const deadlineMs = nowMs() + PATIENCE_SECONDS * 1000;
  while (routesIn(namespace) < routes) {
    if (nowMs() > deadlineMs) throw new Error(`${routesIn(namespace)} routes of ${routes}`);
    await delay(POLL_MS);
  }
  return nowMs();
}

/**
 * IPv4 routes of the main table, which the kernel counts faster than it lists them. Without rules of its own a namespace has one trie
 * for main and local routes, and counts it under both names.
 */
export function routesIn({ path }: TestNamespace): number {
  const text = runInNamespace(path, () =>
    readFileSync('/proc/thread-self/net/fib_triestat', 'utf8'),
  );
  return Number(/^Main:$[\s\S]*?Prefixes:\s+(\d+)/m.exec(text)?.[1]);
}

/** The same netlink messages from a program that has nothing else to do. @returns Milliseconds. */
async function bare(prefixes: number): Promise<number> {
  await using scene: Stage = await stage(family, 0);
  await using kernel = openKernel({ namespace: scene.router.path });
  const paths = [0, 1].map((i) => {
    const nextHop = { address: feederAddress(family, i), device: 'eth1' };
    return {
      id: i + 1,
      protocol: PROTOCOL.bgp,
      content: { type: 'path', family, nextHop },
    } as const;
  });
  const content = nextHopGroup(paths.map(({ id }) => ({ id, weight: 1 })));
  const group = { id: 3, protocol: PROTOCOL.bgp, content };
  await kernel.nextHopObjects.replace([...paths, group]);
  const target = { type: 'next-hop-object', id: group.id } as const;
  const routes = Array.from({ length: prefixes }, (_, i): Route => {
    const destination = prefixFromBytes(Uint8Array.of(20 + (i >> 16), i >> 8, i, 0), 24);
    return { destination, metric: 20, protocol: PROTOCOL.bgp, target };
  });
  const startMs = nowMs();
  for (let at = 0; at < prefixes; at += BATCH) {
    const outcome = await kernel.routes.replace(routes.slice(at, at + BATCH));
    const failed = outcome.find((error) => error !== undefined);
    if (failed) throw failed;
  }
  return nowMs() - startMs;
}
