import type { Family } from '@overland/net';
import type { MessageCounts } from './message-counters.ts';
import type { Metric, MetricSample } from './metrics-text.ts';
import type { SpeakerStatistics } from './operator/speaker-statistics.ts';
import type { PeerSummary, SpeakerSummary } from './speaker-summary.ts';

const FAMILIES = ['ipv4', 'ipv6'] as const satisfies readonly Family[];
const STATES = ['Idle', 'Connect', 'Active', 'OpenSent', 'OpenConfirm', 'Established'] as const;
const BFD_STATES = ['admin-down', 'down', 'up'] as const;
const MESSAGES = [
  'open',
  'update',
  'notification',
  'keepalive',
  'routeRefresh',
] as const satisfies readonly (keyof MessageCounts)[];

type Samples = number | readonly MetricSample[];

/** The numbers of a speaker, each read from its state: docs/metrics.md. A peer is labelled by name and address. */
export function speakerMetrics(summary: SpeakerSummary, statistics: SpeakerStatistics): Metric[] {
  return [
    ...sessionMetrics(summary, statistics),
    ...peerMetrics(summary.peers),
    ...prefixMetrics(summary.peers),
    ...workMetrics(statistics),
    ...tableMetrics(statistics),
  ];
}

function gauge(name: string, help: string, samples: Samples): Metric {
  return { name, help, type: 'gauge', samples: listOf(samples) };
}

function counter(name: string, help: string, samples: Samples): Metric {
  return { name, help, type: 'counter', samples: listOf(samples) };
}

function listOf(samples: Samples): readonly MetricSample[] {
  return typeof samples === 'number' ? [{ value: samples }] : samples;
}

function sessionMetrics(
  { peers, deferring, connectionsRefused }: SpeakerSummary,
  { sessions, notifications }: SpeakerStatistics,
): Metric[] {
  const bfd = (state: string): number => peers.filter((peer) => peer.bfd === state).length;
  return [
    gauge(
      'overland_bgp_sessions',
      'Configured sessions by state.',
      STATES.map((state) => ({ labels: { state }, value: sessions[state] ?? 0 })),
    ),
    gauge(
      'overland_bgp_bfd_sessions',
      'Sessions that follow BFD, by what it says of the path.',
      BFD_STATES.map((state) => ({ labels: { state }, value: bfd(state) })),
    ),
    gauge(
      'overland_bgp_deferring',
      'Whether route selection waits for the peers after a restart.',
      Number(deferring),
    ),
    counter(
      'overland_bgp_connections_refused_total',
      'Connections from addresses that are no configured peer.',
      connectionsRefused,
    ),
    counter(
      'overland_bgp_notifications_total',
      'NOTIFICATIONs by what they say.',
      notifications.map(({ direction, name, count }) => ({
        labels: { direction, name },
        value: count,
      })),
    ),
  ];
}

/** Samples of each peer, with its labels. */
function ofEach(
  peers: readonly PeerSummary[],
  samples: (peer: PeerSummary) => readonly MetricSample[],
): MetricSample[] {
  return peers.flatMap((peer) => {
    const own = { peer: peer.name, address: peer.address };
    return samples(peer).map(({ labels, value }) => ({ labels: { ...own, ...labels }, value }));
  });
}

function prefixMetrics(peers: readonly PeerSummary[]): Metric[] {
  const perFamily = (value: (peer: PeerSummary, family: Family) => number): MetricSample[] =>
    ofEach(peers, (peer) =>
      peer.families.map((family) => ({ labels: { family }, value: value(peer, family) })),
    );
  return [
    gauge(
      'overland_bgp_prefixes_received',
      'Paths kept of the peer, whether import rules accept them or not.',
      perFamily(
        ({ prefixesReceived, prefixesFiltered }, family) =>
          prefixesReceived[family] + prefixesFiltered[family],
      ),
    ),
    gauge(
      'overland_bgp_prefixes_accepted',
      'Of them, those that import rules accept.',
      perFamily(({ prefixesReceived }, family) => prefixesReceived[family]),
    ),
    gauge(
      'overland_bgp_prefixes_filtered',
      'Of them, those that import rules refuse.',
      perFamily(({ prefixesFiltered }, family) => prefixesFiltered[family]),
    ),
    gauge(
      'overland_bgp_prefixes_stale',
      'Accepted paths from before the session came up.',
      perFamily(({ prefixesStale }, family) => prefixesStale[family]),
    ),
    gauge(
      'overland_bgp_prefixes_advertised',
      'Prefixes that the peer has from us.',
      perFamily(({ prefixesSent }, family) => prefixesSent[family]),
    ),
    gauge(
      'overland_bgp_prefixes_held_back',
      'What the peer would have from us as well if it might have more.',
      perFamily(({ prefixesHeldBack }, family) => prefixesHeldBack[family]),
    ),
  ];
}

function peerMetrics(peers: readonly PeerSummary[]): Metric[] {
  const each = (samples: (peer: PeerSummary) => readonly MetricSample[]): MetricSample[] =>
    ofEach(peers, samples);
  return [
    gauge(
      'overland_bgp_peer_up',
      'Whether the session is Established.',
      each(({ state }) => [{ value: Number(state === 'Established') }]),
    ),
    counter(
      'overland_bgp_session_drops_total',
      'Times the session ceased to be Established.',
      each(({ timesDropped }) => [{ value: timesDropped }]),
    ),
    counter(
      'overland_bgp_messages_total',
      'Messages by type and direction.',
      each((peer) =>
        (['received', 'sent'] as const).flatMap((direction) =>
          MESSAGES.map((type) => ({ labels: { direction, type }, value: peer[direction][type] })),
        ),
      ),
    ),
    counter(
      'overland_bgp_routes_refused_total',
      'Paths or messages refused, by reason.',
      each(({ refused }) =>
        Object.entries(refused).map(([reason, value]) => ({ labels: { reason }, value })),
      ),
    ),
    counter(
      'overland_bgp_routes_refused_by_rule_total',
      'Paths that a rule of an import filter refused when they came.',
      each(({ refusedByRule }) =>
        Object.entries(refusedByRule).map(([rule, value]) => ({ labels: { rule }, value })),
      ),
    ),
    gauge(
      'overland_bgp_queue_bytes',
      'Read from the socket and not worked off, and written and not taken by the kernel.',
      each(({ inQueueOctets, outQueueOctets }) => [
        { labels: { direction: 'received' }, value: inQueueOctets },
        { labels: { direction: 'sent' }, value: outQueueOctets },
      ]),
    ),
  ];
}

function workMetrics(statistics: SpeakerStatistics): Metric[] {
  const { convergence, loopDelay, longestTurnMs, queues } = statistics;
  return [
    gauge(
      'overland_bgp_pending_prefixes',
      'Prefixes that peers have yet to be sent, or to be told the end of.',
      [
        { labels: { change: 'announce' }, value: queues.announcing },
        { labels: { change: 'withdraw' }, value: queues.withdrawing },
      ],
    ),
    counter(
      'overland_bgp_convergences_total',
      'Times that changes were all the way through.',
      convergence.count,
    ),
    counter(
      'overland_bgp_convergence_seconds_total',
      'From the first change until everything was decided and sent, all times together.',
      convergence.totalMs / 1000,
    ),
    gauge(
      'overland_bgp_convergence_last_seconds',
      'The last of these times.',
      (convergence.lastMs ?? 0) / 1000,
    ),
    gauge(
      'overland_bgp_convergence_longest_seconds',
      'The longest of them since the start.',
      convergence.longestMs / 1000,
    ),
    gauge(
      'overland_bgp_event_loop_delay_seconds',
      "How late the speaker's thread comes to what is due, since the start.",
      [
        { labels: { quantile: '0.5' }, value: loopDelay.medianMs / 1000 },
        { labels: { quantile: '0.99' }, value: loopDelay.p99Ms / 1000 },
        { labels: { quantile: '1' }, value: loopDelay.longestMs / 1000 },
      ],
    ),
    gauge(
      'overland_bgp_longest_turn_seconds',
      'CPU time of the longest piece of work since the start.',
      longestTurnMs / 1000,
    ),
  ];
}

function tableMetrics({ tables, memory }: SpeakerStatistics): Metric[] {
  const { families, attributeSets, attributeOctets } = tables;
  const perFamily = (field: keyof SpeakerStatistics['tables']['families']['ipv4']) =>
    FAMILIES.map((family) => ({ labels: { family }, value: families[family][field] }));
  return [
    gauge('overland_bgp_rib_prefixes', 'Prefixes in the tables.', perFamily('prefixes')),
    gauge('overland_bgp_rib_paths', 'Paths in the tables.', perFamily('paths')),
    gauge('overland_bgp_next_hops', 'Next hops of received routes.', perFamily('nextHops')),
    gauge(
      'overland_bgp_undecided_prefixes',
      'Prefixes that wait for the decision process.',
      perFamily('undecided'),
    ),
    gauge(
      'overland_bgp_pending_kernel_routes',
      'Prefixes whose route the kernel has yet to be told.',
      perFamily('pendingKernelRoutes'),
    ),
    counter('overland_bgp_decisions_total', 'Prefixes decided.', perFamily('decisions')),
    counter(
      'overland_bgp_best_changes_total',
      'Best paths that changed.',
      perFamily('bestChanges'),
    ),
    gauge('overland_bgp_attribute_sets', 'Attribute sets, each kept once.', attributeSets),
    gauge('overland_bgp_attribute_bytes', 'Memory behind them.', attributeOctets),
    gauge(
      'overland_bgp_array_bytes',
      "Memory of typed arrays of the speaker's thread: the tables.",
      memory.arrayOctets,
    ),
  ];
}
