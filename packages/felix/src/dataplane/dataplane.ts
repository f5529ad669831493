import type { Kernel, Nftables } from '@overland/linux';
import type { Family, IpAddress, RouteBatch } from '@overland/net';
import type { Logger } from 'pino';
import type { LocalState } from '../calc/local-state.ts';
import type { PolicyChange } from '../calc/policy-change.ts';
import { type Clock, systemClock } from './clock.ts';
import { InterfaceFeed, type InterfaceListener } from './interface-feed.ts';
import type { LearnedCounts } from './learned/learned-routes.ts';
import type { LocalCounts } from './local-reconciler.ts';
import { NftPolicy } from './nftables/nft-policy.ts';
import type { PolicyBackend, PolicyCounts } from './policy-backend.ts';
import { Readiness } from './readiness.ts';
import { ReconcileLoop } from './reconcile-loop.ts';

const READ_BACK_MS = 90_000;
const OBJECT_GRACE_MS = 60_000;
const MAX_FAILURES_SHOWN = 20;

export interface DataplaneOptions {
  readonly kernel: Kernel;
  /** Absent on a host without workloads, such as a router: none would come up. */
  readonly nftables?: Nftables;
  /** Enforces policy instead of {@link nftables}. */
  readonly policy?: PolicyBackend;
  readonly log: Logger;
  readonly clock?: Clock;
  /** Between full read-backs of routes and next hops, which catch what no event told. Default 90 s. */
  readonly readBackMs?: number;
  /** Between the last use of a next-hop object and its removal: its id stays if it is needed again. Default 60 s. */
  readonly objectGraceMs?: number;
}

/** The only writer of this host's routes, next-hop objects and workload interfaces. */
export interface Dataplane extends AsyncDisposable {
  /** Replaces what the host's own workloads and blocks need. No route is written before the first call. */
  setLocalState(state: LocalState): void;
  /** Changes what the packet filter should hold. Changes come in order, and begin at nothing. */
  changePolicy(change: PolicyChange): void;
  /** Has the packet filter put right now: somebody has told its backend something. */
  reconcilePolicy(): void;
  /**
   * Programs learned routes.
   *
   * @returns The batch's sequence, once each of its routes has been tried: acknowledge it then.
   */
  applyRoutes(batch: RouteBatch): Promise<number>;
  /**
   * Resolves when the interface is up, its policy is in the packet filter, and its routes to these addresses are in
   * the kernel.
   *
   * @throws The signal's reason, if it aborts before.
   */
  endpointReady(
    interfaceName: string,
    addresses: readonly IpAddress[],
    signal: AbortSignal,
  ): Promise<void>;
  /** Calls back with all interfaces but those of workloads: now, if they are known, and after every change. */
  onInterfaces(listener: InterfaceListener): void;
  /** Plain data, fit for `postMessage`. Walks all routes: for an operator's question, not for a hot path. */
  status(): DataplaneStatus;
  /** Rejects if the dataplane cannot go on; resolves after disposal. */
  readonly finished: Promise<void>;
  /** Stops. What is in the kernel stays there: forwarding does not depend on us. */
  [Symbol.asyncDispose](): Promise<void>;
}

export interface DataplaneStatus {
  readonly local: LocalCounts;
  /** Absent on a host without a packet filter. */
  readonly policy?: PolicyCounts;
  readonly learned: Readonly<Record<Family, LearnedCounts>>;
  /** Next-hop objects of ours in the kernel. */
  readonly nextHopObjects: number;
  /** The first 20 of {@link failureCount}. */
  readonly failures: readonly FailureStatus[];
  readonly failureCount: number;
  /** Changes of ours that somebody else undid and we repaired. */
  readonly repairs: number;
  /** Connections that were ended because policy forbids them, or because their address has left. */
  readonly endedConnections: number;
  /** Milliseconds since the last full read-back; `undefined` before the first. */
  readonly readBackAgeMs: number | undefined;
}

/** Something that the kernel refuses, and that is tried again. */
export interface FailureStatus {
  /** `route 10.65.0.0/26`, `interface cali1a2b`, `packet filter`, … */
  readonly what: string;
  readonly attempts: number;
  readonly reason: string;
}

/** Starts reconciling the kernel with what the returned handle is told. */
export function createDataplane(options: DataplaneOptions): Dataplane {
  const { clock = systemClock, nftables, log } = options;
  const stop = new AbortController();
  const feed = new InterfaceFeed();
  const readiness = new Readiness();
  const policy = options.policy ?? (nftables && new NftPolicy({ nftables, clock, log }));
  const loop = new ReconcileLoop({
    readBackMs: READ_BACK_MS,
    objectGraceMs: OBJECT_GRACE_MS,
    ...options,
    clock,
    policy,
    onLinks: (links) => feed.publish(links),
    onStep: () => readiness.check(),
  });
  const finished = loop.run(stop.signal);
  // Whoever awaits `finished` learns of it; that nobody does must not end the process.
  finished.catch(() => undefined);
  return {
    setLocalState: (state) => loop.setLocalState(state),
    changePolicy: (change) => loop.changePolicy(change),
    reconcilePolicy: () => loop.reconcilePolicy(),
    async applyRoutes(batch) {
      await loop.accept(batch);
      return batch.sequence;
    },
    endpointReady: (interfaceName, addresses, signal) =>
      readiness.wait(() => loop.local.isReady(interfaceName, addresses), signal),
    onInterfaces: (listener) => feed.subscribe(listener),
    status: () => statusOf(loop, clock, policy?.counts()),
    finished,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await finished.catch(() => undefined);
    },
  };
}

function statusOf(
  { local, learned, repairs, readBackAtMs }: ReconcileLoop,
  clock: Clock,
  policy: PolicyCounts | undefined,
): DataplaneStatus {
  const failures = [...local.failures(), ...learned.failures()];
  return {
    local: local.counts(),
    ...(policy ? { policy } : {}),
    learned: { ipv4: learned.counts('ipv4'), ipv6: learned.counts('ipv6') },
    nextHopObjects: learned.objectCount,
    failures: failures.slice(0, MAX_FAILURES_SHOWN),
    failureCount: failures.length,
    repairs: repairs + (policy?.repairs ?? 0),
    endedConnections: local.endedConnections,
    readBackAgeMs: readBackAtMs === undefined ? undefined : clock.now() - readBackAtMs,
  };
}
