import type { MessageCounts } from './message-counters.ts';
import type { PeerSummary, SpeakerSummary } from './speaker-summary.ts';

/** One metric in Prometheus' terms, as plain data. */
export interface SpeakerMetric {
  readonly name: string;
  readonly help: string;
  readonly type: 'gauge' | 'counter';
  readonly samples: readonly SpeakerSample[];
}

interface SpeakerSample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

const MESSAGES = [
  'open',
  'update',
  'notification',
  'keepalive',
  'routeRefresh',
] as const satisfies readonly (keyof MessageCounts)[];

/** The numbers of a speaker. A peer is labelled by name and address. */
export function speakerMetrics(summary: SpeakerSummary): readonly SpeakerMetric[] {
  const { peers, deferring, connectionsRefused, longestTurnMs } = summary;
  return [
    ...peerMetrics(peers),
    {
      name: 'overland_bgp_deferring',
      help: 'Whether route selection waits for the peers after a restart.',
      type: 'gauge',
      samples: [{ value: Number(deferring) }],
    },
    {
      name: 'overland_bgp_connections_refused_total',
      help: 'Connections from addresses that are no configured peer.',
      type: 'counter',
      samples: [{ value: connectionsRefused }],
    },
    {
      name: 'overland_bgp_longest_turn_seconds',
      help: 'CPU time of the longest piece of work since the start.',
      type: 'gauge',
      samples: [{ value: longestTurnMs / 1000 }],
    },
  ];
}

function peerMetrics(peers: readonly PeerSummary[]): SpeakerMetric[] {
  const each = (samples: (peer: PeerSummary) => readonly SpeakerSample[]): SpeakerSample[] =>
    peers.flatMap((peer) => {
      const own = { peer: peer.name, address: peer.address };
      return samples(peer).map(({ labels, value }) => ({ labels: { ...own, ...labels }, value }));
    });
  const perFamily = (field: 'prefixesReceived' | 'prefixesStale' | 'prefixesSent') =>
    each((peer) =>
      peer.families.map((family) => ({ labels: { family }, value: peer[field][family] })),
    );
  const gauge = (name: string, help: string, samples: readonly SpeakerSample[]): SpeakerMetric => ({
    name,
    help,
    type: 'gauge',
    samples,
  });
  return [
    gauge(
      'overland_bgp_peer_up',
      'Whether the session is Established.',
      each(({ state }) => [{ value: Number(state === 'Established') }]),
    ),
    gauge(
      'overland_bgp_prefixes_received',
      'Paths accepted from the peer.',
      perFamily('prefixesReceived'),
    ),
    gauge(
      'overland_bgp_prefixes_stale',
      'Of them, those kept from before it restarted.',
      perFamily('prefixesStale'),
    ),
    gauge(
      'overland_bgp_prefixes_sent',
      'Prefixes advertised to the peer.',
      perFamily('prefixesSent'),
    ),
    {
      name: 'overland_bgp_session_drops_total',
      help: 'Times the session ceased to be Established.',
      type: 'counter',
      samples: each(({ timesDropped }) => [{ value: timesDropped }]),
    },
    {
      name: 'overland_bgp_messages_total',
      help: 'Messages by type and direction.',
      type: 'counter',
      samples: each((peer) =>
        (['received', 'sent'] as const).flatMap((direction) =>
          MESSAGES.map((type) => ({ labels: { direction, type }, value: peer[direction][type] })),
        ),
      ),
    },
    {
      name: 'overland_bgp_routes_refused_total',
      help: 'Paths or messages refused, by reason.',
      type: 'counter',
      samples: each(({ refused }) =>
        Object.entries(refused).map(([reason, value]) => ({ labels: { reason }, value })),
      ),
    },
  ];
}
