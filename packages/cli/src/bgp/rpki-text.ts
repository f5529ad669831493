import type { CacheView, RpkiStatus, VrpPage } from '@overland/bgp/node';
import { type Column, formatTable } from '../table.ts';
import { formatAge } from './age.ts';

/** The caches, and what they have told. */
export function rpkiStatusText(status: RpkiStatus): string {
  const { caches, vrps, ageSeconds, expiresInSeconds } = status;
  if (caches.length === 0) return 'no RPKI cache is configured: every origin is not-found\n';
  const age =
    ageSeconds === null
      ? 'no VRPs: every origin is not-found'
      : `${vrps.ipv4} IPv4 and ${vrps.ipv6} IPv6 VRPs, ${formatAge(ageSeconds)} old, for another ${formatAge(expiresInSeconds)}`;
  const failed = caches
    .filter(({ lastError }) => lastError !== null)
    .map(({ address, port, lastError }) => `${address} port ${port}: ${lastError}\n`);
  return [
    `${age}\n\n`,
    formatTable(COLUMNS, caches),
    ...(failed.length > 0 ? ['\n'] : []),
    ...failed,
  ].join('');
}

const COLUMNS: readonly Column<CacheView>[] = [
  { title: 'Cache', cell: ({ address }) => address },
  { title: 'Port', cell: ({ port }) => port, align: 'right' },
  { title: 'State', cell: ({ state }) => state },
  { title: 'V', cell: ({ version, sessionId }) => (sessionId === null ? '-' : version) },
  { title: 'Session', cell: ({ sessionId }) => sessionId ?? '-', align: 'right' },
  { title: 'Serial', cell: ({ serial }) => serial ?? '-', align: 'right' },
];

/** `192.0.2.0/24 max 26 AS64500`. */
export function vrpLine({ prefix, maxLength, asn }: VrpPage['vrps'][number]): string {
  return `${prefix} max ${maxLength} AS${asn}\n`;
}
