import type { Family } from '@overland/net';
import { type PeerSpec, Peers } from './peers.ts';
import type { Router, RouterPeer, RunningRouter } from './routers/router.ts';
import { ROUTER_ASN, routerAddress, type Stage, stage } from './stage.ts';
import { usageIn } from './usage.ts';

/** How long a phase may take before the router is given up, seconds. */
export const PATIENCE_SECONDS = 600;
const START_SECONDS = 60;

/** What was measured, by name: `ms`, `cpuMs`, `peakMb`, `p50Ms`, … */
export type Figures = Readonly<Record<string, number>>;

/** One round with one router. @returns Figures by row of the table. */
export interface Scenario {
  /** Makes what all rounds send, once. @param scale 1: the sizes of the table. */
  prepare(scale: number): (router: Router) => Promise<Readonly<Record<string, Figures>>>;
}

export interface Cast {
  readonly family: Family;
  readonly feeders: readonly PeerSpec[];
  readonly receivers: readonly PeerSpec[];
  /** Further feeders, in a thread of their own. */
  readonly others?: readonly PeerSpec[];
  /** Routes go into the kernel, with up to so many next hops; absent: they do not. */
  readonly kernelPaths?: number;
  /** Links between the router and its peers; absent: 1. */
  readonly links?: 1 | 2;
  /** Whether the receivers are clients of a route reflector. */
  readonly clients?: boolean;
}

/** A router with its peers, all sessions up. */
export interface Play extends AsyncDisposable {
  readonly stage: Stage;
  readonly router: RunningRouter;
  readonly feeders: Peers;
  readonly receivers: Peers;
  readonly others: Peers;
  /** Time from `begin`, which tells when it began, until `end`, which tells when it was over; with CPU and memory. */
  measure(begin: () => Promise<number>, end: () => Promise<number>): Promise<Figures>;
}

export async function play(played: Router, cast: Cast): Promise<Play> {
  const { family, feeders, receivers, others = [], clients = false, kernelPaths } = cast;
  await using stack = new AsyncDisposableStack();
  const scene = stack.use(await stage(family, receivers.length, cast.links));
  const address = routerAddress(family);
  const peers: RouterPeer[] = [
    ...[...feeders, ...others].map((peer) => ({ ...peer, isClient: false })),
    ...receivers.map((peer) => ({ ...peer, isClient: clients })),
  ].map(({ address: of, asn, isClient }) => ({ address: of, asn, isClient }));
  const kernel = kernelPaths !== undefined && { kernelPaths };
  const { holdSeconds } = played;
  const setup = { family, asn: ROUTER_ASN, address, peers, holdSeconds, ...kernel };
  const router = stack.use(await played.start(scene.router, setup));
  const data = {
    namespace: scene.peers.path,
    family,
    speaker: address,
    holdSeconds,
  };
  const thread = (specs: readonly PeerSpec[]) => stack.use(new Peers({ ...data, peers: specs }));
  const threads = {
    feeders: thread(feeders),
    receivers: thread(receivers),
    others: thread(others),
  };
  await Promise.all(Object.values(threads).map((each) => each.ready(START_SECONDS)));
  const kept = stack.move();
  return {
    stage: scene,
    router,
    ...threads,
    async measure(begin, end) {
      await router.watch?.restart();
      const before = await usageIn(scene.router);
      const lost = Promise.race(Object.values(threads).map((each) => each.lost));
      const ended = Promise.race([end(), lost]);
      const startMs = await begin();
      const endMs = await ended;
      const after = await usageIn(scene.router);
      return {
        ms: endMs - startMs,
        cpuMs: after.cpuMs - before.cpuMs,
        peakMb: after.peakMb,
        ...(await router.watch?.read()),
      };
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

/** Waits until no UPDATE has come for a while. @returns When the last one did. */
export async function settled(peers: Peers, quietMs: number): Promise<number> {
  for (let last = -1; ; ) {
    const now = await peers.ask({ type: 'last update' }, PATIENCE_SECONDS);
    if (now === last) return now;
    last = now;
    await new Promise((resolve) => setTimeout(resolve, quietMs));
  }
}
