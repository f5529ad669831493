import type { Family, Prefix, RouteBatch } from '@overland/net';
import type { Logger } from 'pino';
import type { SpeakerConfig } from '../core/config.ts';
import type { RouteEngine } from '../core/rib/route-engine.ts';
import type { TraceRecorder } from '../core/trace/trace-recorder.ts';
import type { Probe } from './neighbour-probe.ts';
import type { OpenDiscovery } from './router-discovery.ts';
import type { OpenSocket } from './transport.ts';

/** What a speaker is to do, and by which means. */
export interface SpeakerOptions {
  readonly config: SpeakerConfig;
  readonly log: Logger;
  /** Absent: one of its own. */
  readonly engine?: RouteEngine;
  /** The process has restarted, and the kernel may still hold what the last one learned. RFC 4724 section 4.1. */
  readonly restarting: boolean;
  /** Families whose kernel routes survived; absent: both when `restarting`, else none. */
  readonly preserved?: readonly Family[];
  /**
   * Resolves when the kernel has the routes, in the order of the calls, to the prefixes that it has no route of all the same; those may
   * follow with `Speaker.routesArrived`. Until then few more batches follow. A rejection ends the speaker.
   */
  readonly onRouteBatch: (batch: RouteBatch) => Promise<readonly Prefix[]>;
  /** Absent: next hops that have stopped answering are only known to be back when somebody sends to them. */
  readonly probe?: Probe;
  /** In 0..1, for jitter. */
  readonly random?: () => number;
  /** Writes down what the speaker is told and does; an `engine` that is given must be recorded by it, too. */
  readonly recorder?: TraceRecorder;
  /** Where sockets come from; absent: this thread's network namespace. */
  readonly openSocket?: OpenSocket;
  /** Where router discovery has its sockets from; absent: this thread's network namespace. */
  readonly openDiscovery?: OpenDiscovery;
  /** Peers have come or gone with a listen range or a drain, or an unnumbered one is elsewhere, and not with a reconfiguration. */
  readonly onPeersInForce?: (config: SpeakerConfig) => void;
}

/** How to part from the peers: `restart` silently, so that they keep our routes; `shutdown` with Cease/2. */
export type StopKind = 'restart' | 'shutdown';
