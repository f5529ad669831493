import type { EngineStatistics } from '../../core/rib/engine-statistics.ts';
import type { ConvergenceView } from '../convergence.ts';
import type { LoopDelayView } from '../loop-delay.ts';
import { type MessageCounts, noMessages } from '../message-counters.ts';
import type { PeerRunner } from '../peer-runner.ts';
import type { SpeakerSummary } from '../speaker-summary.ts';

/** Counts of the whole speaker since its start; of peers, since they were configured. */
export interface SpeakerStatistics {
  /** Sessions by state of the FSM. */
  readonly sessions: Readonly<Record<string, number>>;
  readonly received: Readonly<MessageCounts>;
  readonly sent: Readonly<MessageCounts>;
  /** Paths or messages refused, by reason. */
  readonly refused: Readonly<Record<string, number>>;
  /** Of them, by rule of a filter. */
  readonly refusedByRule: Readonly<Record<string, number>>;
  readonly notifications: readonly NotificationCount[];
  readonly tables: EngineStatistics;
  readonly queues: SpeakerQueues;
  readonly convergence: ConvergenceView;
  readonly loopDelay: LoopDelayView;
  /** CPU time of the longest piece of work, milliseconds. */
  readonly longestTurnMs: number;
  readonly memory: {
    /** Of the process, octets: other threads of an agent are in it. */
    readonly residentOctets: number;
    /** Of this thread, octets. */
    readonly heapOctets: number;
    readonly arrayOctets: number;
  };
}

interface NotificationCount {
  readonly direction: 'sent' | 'received';
  /** In words. */
  readonly name: string;
  readonly count: number;
}

interface SpeakerQueues {
  /** Read from sockets and not worked off, octets. */
  readonly unreadOctets: number;
  /** Written and not taken by the kernel, octets. */
  readonly unsentOctets: number;
  /** Prefixes that peers are to be sent, and to lose. */
  readonly announcing: number;
  readonly withdrawing: number;
}

/** What statistics are made of. */
export interface StatisticsSources {
  readonly summary: SpeakerSummary;
  readonly runners: Iterable<PeerRunner>;
  readonly tables: EngineStatistics;
  readonly pending: Pick<SpeakerQueues, 'announcing' | 'withdrawing'>;
  readonly convergence: ConvergenceView;
  readonly loopDelay: LoopDelayView;
}

export function speakerStatistics(sources: StatisticsSources): SpeakerStatistics {
  const { summary, runners, tables, pending, convergence, loopDelay } = sources;
  const { peers, longestTurnMs } = summary;
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return {
    sessions: tally(peers.map(({ state }) => ({ [state]: 1 }))),
    received: sum(peers.map(({ received }) => received)),
    sent: sum(peers.map(({ sent }) => sent)),
    refused: tally(peers.map(({ refused }) => refused)),
    refusedByRule: tally(peers.map(({ refusedByRule }) => refusedByRule)),
    notifications: notifications(runners),
    tables,
    queues: {
      unreadOctets: peers.reduce((octets, { inQueueOctets }) => octets + inQueueOctets, 0),
      unsentOctets: peers.reduce((octets, { outQueueOctets }) => octets + outQueueOctets, 0),
      ...pending,
    },
    convergence,
    loopDelay,
    longestTurnMs,
    memory: {
      residentOctets: process.memoryUsage.rss(),
      heapOctets: heapUsed,
      arrayOctets: arrayBuffers,
    },
  };
}

function tally(counts: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const each of counts) {
    for (const [key, count] of Object.entries(each)) sums[key] = (sums[key] ?? 0) + count;
  }
  return sums;
}

function sum(counts: readonly Readonly<MessageCounts>[]): MessageCounts {
  const sums = noMessages();
  for (const each of counts) {
    for (const type of Object.keys(sums) as (keyof MessageCounts)[]) sums[type] += each[type];
  }
  return sums;
}

function notifications(runners: Iterable<PeerRunner>): NotificationCount[] {
  const counts = new Map<string, NotificationCount>();
  for (const { record } of runners) {
    for (const { direction, name, count } of record.notifications.counts) {
      const key = `${direction} ${name}`;
      counts.set(key, { direction, name, count: (counts.get(key)?.count ?? 0) + count });
    }
  }
  return [...counts.values()];
}
