import { setTimeout as delay } from 'node:timers/promises';
import { type Kernel, openKernel } from '@overland/linux';
import { nowMs } from './clock.ts';
import { filled, routesIn } from './kernel-routes.ts';
import { play, type Scenario } from './scenario.ts';
import { feederAddress, otherLinkAddress } from './stage.ts';
import { announcements } from './tables.ts';

const PREFIXES = 100_000;
const FEEDER_ASNS = [65011, 65012] as const;
const family = 'ipv4';
/** Nothing was written for so long: it is over. */
const QUIET_MS = 2000;

/**
 * Row h: the link of one of two next hops that 100,000 routes share goes down. The kernel takes it out of the group
 * itself, so what counts is that the router does not get in its way, and how much it writes because of it.
 */
export const failover: Scenario = {
  prepare(scale) {
    const prefixes = Math.round(PREFIXES * scale);
    const feeders = FEEDER_ASNS.map((asn, i) => {
      // Both sessions are on the link that stays: it is the next hop that dies.
      const nextHop = i === 0 ? feederAddress(family, i) : otherLinkAddress(family);
      const shape = { family, prefixes, nextHop, firstAs: asn, seed: 1 } as const;
      const tables = { all: announcements(shape) };
      return { address: feederAddress(family, i), asn, tables, tallies: false };
    });
    return async (router) => {
      if (!router.writesKernel) throw new Error('does not write the kernel here');
      const cast = { family, feeders, receivers: [], kernelPaths: 2, links: 2 } as const;
      await using scene = await play(router, cast);
      const { router: namespace, peers } = scene.stage;
      const before = routesIn(namespace);
      await scene.feeders.ask({ type: 'send', table: 'all' }, 60);
      await filled(namespace, before + prefixes);
      await delay(QUIET_MS);
      await using kernel = openKernel({ namespace: namespace.path });
      if ((await largestGroup(kernel)) !== 2) throw new Error('no group of two next hops');
      const watch = new Watch(kernel);
      await peers.ip('link', 'set', 'eth2', 'down');
      const eventMs = await watch.linkLost.promise;
      while ((await largestGroup(kernel)) > 1) await delay(0);
      const ms = nowMs() - eventMs;
      let changes = -1;
      while (changes !== watch.changes) {
        changes = watch.changes;
        await delay(QUIET_MS);
      }
      watch.stop();
      return { h: { ms, changes, routes: routesIn(namespace) - before } };
    };
  },
};

/** Members of the largest group of next hops. */
async function largestGroup(kernel: Kernel): Promise<number> {
  const objects = await kernel.nextHopObjects.list();
  const sizes = objects.map(({ content }) =>
    content.type === 'group' ? content.members.length : 0,
  );
  return Math.max(0, ...sizes);
}

/** Follows what happens in the router's namespace. */
class Watch {
  /** When the kernel told that a link has lost its carrier. */
  readonly linkLost = Promise.withResolvers<number>();
  /** Routes and next-hop objects that were written since. */
  changes = 0;
  readonly #stop = new AbortController();

  constructor(kernel: Kernel) {
    this.#follow(kernel).catch(this.linkLost.reject);
  }

  stop(): void {
    this.#stop.abort();
  }

  async #follow(kernel: Kernel): Promise<void> {
    for await (const event of kernel.monitor.events(this.#stop.signal)) {
      if (event.type === 'link' && event.link.name === 'eth2' && !event.link.carrier) {
        this.linkLost.resolve(nowMs());
      }
      const isOurs = event.type === 'next-hop-object' || event.type === 'route';
      if (isOurs && !(event.type === 'route' && event.route.protocol === PROTOCOL_KERNEL)) {
        this.changes += 1;
      }
    }
  }
}

/** RTPROT_KERNEL: the subnet of the link goes by itself. */
const PROTOCOL_KERNEL = 2;
