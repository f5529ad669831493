import { readFileSync } from 'node:fs';
import { parseAddress, parseAsn } from '@overland/net';
import { expect, test } from 'vitest';
import { NO_ANSWERS } from '../../test/support/no-answers.ts';
import { noMessages } from './message-counters.ts';
import { metricsText } from './metrics-text.ts';
import { monitoringMetrics } from './monitoring-metrics.ts';
import { speakerStatistics } from './operator/speaker-statistics.ts';
import { speakerMetrics } from './speaker-metrics.ts';
import type { PeerSummary, SpeakerSummary } from './speaker-summary.ts';

const PEER = {
  name: 'leaf',
  address: parseAddress('10.1.0.1'),
  families: ['ipv4'],
  state: 'Established',
  bfd: 'up',
  received: { ...noMessages(), update: 3 },
  sent: noMessages(),
  inQueueOctets: 5,
  outQueueOctets: 7,
  prefixesReceived: { ipv4: 10, ipv6: 0 },
  prefixesFiltered: { ipv4: 2, ipv6: 0 },
  prefixesStale: { ipv4: 1, ipv6: 0 },
  prefixesSent: { ipv4: 4, ipv6: 0 },
  prefixesHeldBack: { ipv4: 4, ipv6: 0 },
  refused: { filter: 2 },
  refusedByRule: { 'in/small': 2 },
  timesDropped: 1,
} as unknown as PeerSummary;

const SUMMARY = {
  routerId: parseAddress('10.0.0.1'),
  asn: parseAsn(65000),
  deferring: false,
  connectionsRefused: 6,
  longestTurnMs: 4,
  peers: [PEER, { ...PEER, name: 'other', state: 'Idle', bfd: null }],
} as unknown as SpeakerSummary;

const STATION = {
  address: '10.0.9.3',
  port: 11_019,
  state: 'up',
  ribs: ['loc-rib'],
  messagesSent: 12,
  octetsSent: 3456,
  timesUp: 2,
  lastError: null,
} as const;

const RPKI = {
  caches: [
    {
      address: '10.0.9.1',
      port: 323,
      state: 'in-use',
      version: 1,
      sessionId: 1,
      serial: 2,
      lastError: null,
    },
  ],
  vrps: { ipv4: 7, ipv6: 8 },
  ageSeconds: 9,
  expiresInSeconds: 10,
} as const;

const text = metricsText([
  ...speakerMetrics(
    SUMMARY,
    speakerStatistics({
      summary: SUMMARY,
      runners: [],
      tables: NO_ANSWERS.statistics(),
      pending: { announcing: 8, withdrawing: 9 },
      convergence: { count: 2, totalMs: 300, longestMs: 200, lastMs: 100 },
      loopDelay: { medianMs: 1, p99Ms: 2, longestMs: 30 },
    }),
  ),
  ...monitoringMetrics([STATION], RPKI),
]);

test.each([
  'overland_bgp_sessions{state="Established"} 1',
  'overland_bgp_sessions{state="Idle"} 1',
  'overland_bgp_sessions{state="Active"} 0',
  'overland_bgp_bfd_sessions{state="up"} 1',
  'overland_bgp_peer_up{peer="leaf",address="10.1.0.1"} 1',
  'overland_bgp_prefixes_received{peer="leaf",address="10.1.0.1",family="ipv4"} 12',
  'overland_bgp_prefixes_accepted{peer="leaf",address="10.1.0.1",family="ipv4"} 10',
  'overland_bgp_prefixes_held_back{peer="leaf",address="10.1.0.1",family="ipv4"} 4',
  'overland_bgp_routes_refused_by_rule_total{peer="leaf",address="10.1.0.1",rule="in/small"} 2',
  'overland_bgp_queue_bytes{peer="leaf",address="10.1.0.1",direction="sent"} 7',
  'overland_bgp_pending_prefixes{change="withdraw"} 9',
  'overland_bgp_convergence_seconds_total 0.3',
  'overland_bgp_event_loop_delay_seconds{quantile="1"} 0.03',
  'overland_bgp_bmp_station_up{station="10.0.9.3",port="11019"} 1',
  'overland_bgp_bmp_bytes_total{station="10.0.9.3",port="11019"} 3456',
  'overland_bgp_rpki_cache_state{cache="10.0.9.1",port="323",state="in-use"} 1',
  'overland_bgp_rpki_cache_state{cache="10.0.9.1",port="323",state="waiting"} 0',
  'overland_bgp_rpki_vrps{family="ipv6"} 8',
  'overland_bgp_rpki_expires_in_seconds 10',
])('%s', (line) => {
  expect(text.split('\n')).toContain(line);
});

test('docs/metrics.md names every metric, and no other', () => {
  const page = readFileSync(new URL('../../../../docs/metrics.md', import.meta.url), 'utf8');
  const documented = new Set([...page.matchAll(/`(overland_bgp_\w+)`/g)].map(([, name]) => name));
  const served = new Set([...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name));
  expect([...documented].toSorted()).toEqual([...served].toSorted());
});
