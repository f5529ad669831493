import type { BmpStationView } from './bmp/bmp-station.ts';
import type { Metric, MetricSample } from './metrics-text.ts';
import type { RpkiStatus } from './rpki/rpki-caches.ts';

const CACHE_STATES = ['in-use', 'held', 'loading', 'waiting', 'standby'] as const;

/** The numbers of BMP stations and RPKI caches, each labelled by address and port: docs/metrics.md. */
export function monitoringMetrics(
  stations: readonly BmpStationView[],
  { caches, vrps, ageSeconds, expiresInSeconds }: RpkiStatus,
): Metric[] {
  const each = (value: (station: BmpStationView) => number): MetricSample[] =>
    stations.map((station) => ({ labels: endOf('station', station), value: value(station) }));
  const states = caches.flatMap((cache) =>
    CACHE_STATES.map((state) => ({
      labels: { ...endOf('cache', cache), state },
      value: Number(cache.state === state),
    })),
  );
  return [
    metric('gauge', 'bmp_station_up', 'Whether the station is told.', each(isUp)),
    metric(
      'counter',
      'bmp_sessions_total',
      'Times that it came up.',
      each((one) => one.timesUp),
    ),
    metric(
      'counter',
      'bmp_messages_total',
      'Messages to it.',
      each((one) => one.messagesSent),
    ),
    metric(
      'counter',
      'bmp_bytes_total',
      'Octets of them.',
      each((one) => one.octetsSent),
    ),
    metric('gauge', 'rpki_cache_state', 'The state of the cache: 1 of one of them.', states),
    metric('gauge', 'rpki_vrps', 'Validated prefixes and origins in force.', [
      { labels: { family: 'ipv4' }, value: vrps.ipv4 },
      { labels: { family: 'ipv6' }, value: vrps.ipv6 },
    ]),
    metric('gauge', 'rpki_age_seconds', 'Since a cache last said that all is here.', [
      ...(ageSeconds === null ? [] : [{ value: ageSeconds }]),
    ]),
    metric('gauge', 'rpki_expires_in_seconds', 'Until they cease to hold.', [
      ...(expiresInSeconds === null ? [] : [{ value: expiresInSeconds }]),
    ]),
  ];
}

const isUp = ({ state }: BmpStationView): number => Number(state === 'up');

function endOf(
  what: string,
  { address, port }: { readonly address: string; readonly port: number },
): Record<string, string> {
  return { [what]: address, port: String(port) };
}

function metric(
  type: Metric['type'],
  name: string,
  help: string,
  samples: readonly MetricSample[],
): Metric {
  return { name: `overland_bgp_${name}`, help, type, samples };
}
