import type { SpeakerSummary } from '@overland/bgp/node';
import type { Family } from '@overland/net';
import { type SummaryRow, summaryRows } from './summary-rows.ts';

/**
 * `bgp summary -o json`: the shape and the keys of FRR's `show bgp summary json`, so that what reads the one reads the other.
 * Ours in addition: `peerName`, `pfxFiltered`, `pfxStale`, `lastError`.
 */
export function summaryJson(summary: SpeakerSummary): object {
  return {
    ipv4Unicast: familyJson(summary, 'ipv4'),
    ipv6Unicast: familyJson(summary, 'ipv6'),
  };
}

function familyJson(summary: SpeakerSummary, family: Family): object {
  const rows = summaryRows(summary, family);
  const failed = rows.filter(({ state }) => state !== 'Established').length;
  return {
    routerId: summary.routerId,
    as: summary.asn,
    peers: Object.fromEntries(rows.map((row) => [row.peerAddress, peerJson(row)])),
    failedPeers: failed,
    totalPeers: rows.length,
    dynamicPeers: rows.filter(({ isDynamic }) => isDynamic).length,
  };
}

function peerJson(row: SummaryRow): object {
  return {
    peerName: row.peer,
    ...(row.description === null ? {} : { desc: row.description }),
    ...(row.isDynamic && { dynamicPeer: true }),
    remoteAs: row.remoteAs ?? 0,
    localAs: row.localAs,
    version: row.version,
    msgRcvd: row.messagesReceived,
    msgSent: row.messagesSent,
    inq: row.inQueue,
    outq: row.outQueue,
    ...(row.uptimeSeconds === null ? {} : { peerUptimeMsec: row.uptimeSeconds * 1000 }),
    ...(row.received === null ? {} : { pfxRcd: row.received }),
    ...(row.sent === null ? {} : { pfxSnt: row.sent }),
    ...(row.filtered === null ? {} : { pfxFiltered: row.filtered }),
    pfxStale: row.stale,
    state: row.state,
    ...(row.lastError === null ? {} : { lastError: row.lastError }),
  };
}
