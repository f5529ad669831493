import type { SpeakerSummary } from '@overland/bgp/node';
import type { Colours } from '../colours.ts';
import { type Column, formatTable } from '../table.ts';
import { formatAge } from './age.ts';
import { drainText } from './drain.ts';
import { FAMILY_TITLES } from './peer-state.ts';
import { type SummaryRow, summaryRows } from './summary-rows.ts';

/** The summary in FRR's columns, a table per family, and why sessions that are down are so. */
export function summaryText(summary: SpeakerSummary, colours: Colours): string {
  const { routerId, asn, role, deferring, drain } = summary;
  const lines = [`BGP router identifier ${routerId}, local AS ${asn}, role ${role}\n`];
  if (deferring) lines.push(colours.yellow('restarted; waiting for the routes of the peers\n'));
  if (drain.phase !== 'active')
    lines.push(colours.yellow(`${drainText(drain)}; 'overland node undrain' ends this\n`));
  const rows = (['ipv4', 'ipv6'] as const).map((family) => summaryRows(summary, family));
  for (const family of rows) {
    const [first] = family;
    if (!first) continue;
    lines.push(`\n${colours.bold(FAMILY_TITLES[first.family])}\n`);
    lines.push(formatTable(columns(colours), family, colours.dim));
  }
  const down = rows.flat().filter(({ received, lastError }) => received === null && lastError);
  if (down.length > 0) lines.push('\n');
  for (const { peer, lastError } of down) lines.push(`${colours.red(peer)}: ${lastError}\n`);
  const up = summary.peers.filter(({ state }) => state === 'Established').length;
  lines.push(`\n${summary.peers.length} peers, ${up} established\n`);
  for (const { prefix, peers, limit } of summary.listenRanges) {
    lines.push(`* from listen range ${prefix}: ${peers} peers, limit ${limit}\n`);
  }
  return lines.join('');
}

function columns(colours: Colours): readonly Column<SummaryRow>[] {
  const right = 'right' as const;
  return [
    { title: 'Neighbor', cell: (row) => `${row.isDynamic ? '*' : ''}${row.peerAddress}` },
    { title: 'V', cell: (row) => row.version, align: right },
    { title: 'AS', cell: (row) => row.remoteAs ?? '-', align: right },
    { title: 'MsgRcvd', cell: (row) => row.messagesReceived, align: right },
    { title: 'MsgSent', cell: (row) => row.messagesSent, align: right },
    { title: 'InQ', cell: (row) => row.inQueue, align: right },
    { title: 'OutQ', cell: (row) => row.outQueue, align: right },
    { title: 'Up/Down', cell: (row) => formatAge(row.uptimeSeconds), align: right },
    {
      title: 'State/PfxRcd',
      cell: ({ received, state }) => (received === null ? colours.red(state) : received),
      align: right,
    },
    { title: 'PfxSnt', cell: ({ sent }) => sent ?? '-', align: right },
    { title: 'PfxFlt', cell: ({ filtered }) => filtered ?? '-', align: right },
    { title: 'Desc', cell: ({ description, peer }) => description ?? peer },
  ];
}
