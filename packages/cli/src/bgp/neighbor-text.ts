import type { NeighborDetail } from '@overland/bgp/node';
import type { Family } from '@overland/net';
import type { Colours } from '../colours.ts';
import { type Column, formatTable } from '../table.ts';
import { formatAge } from './age.ts';
import { FAMILY_TITLES, isFamilyUp, stateOf } from './peer-state.ts';
import { prefixHints } from './prefix-hints.ts';

/** One peer as FRR's `show bgp neighbors` prints it. */
export function neighborText(peer: NeighborDetail, colours: Colours): string {
  const lines = [
    ...identity(peer, colours),
    ...timers(peer),
    ...capabilities(peer),
    ...gracefulRestart(peer),
    ...statistics(peer),
    ...peer.families.flatMap((family) => ['', ...addressFamily(peer, family, colours)]),
    '',
    ...history(peer, colours),
    ...transport(peer),
  ];
  return `${lines.join('\n')}\n`;
}

function identity(peer: NeighborDetail, colours: Colours): string[] {
  const { address, place, asn, localAsn, linkType, session, localRouterId, name, description } =
    peer;
  const state = stateOf(peer);
  // FRR's words for an unnumbered peer.
  const isNamed = place === address || place.includes('%');
  const where = isNamed ? `is ${place}` : `on ${place}: ${peer.awaitsRouter ? 'none' : address}`;
  const shown = session ? state : colours.red(state);
  const since = session ? `, up for ${formatAge(peer.upDownSeconds)}` : '';
  return [
    colours.bold(
      `BGP neighbor ${where}, remote AS ${asn ?? '(not told)'}, local AS ${localAsn}, ${linkType} link`,
    ),
    ` Name: ${name}`,
    ...(description === undefined ? [] : [` Description: ${description}`]),
    ...(peer.range === null ? [] : [` Belongs to the listen range ${peer.range}`]),
    ...(peer.bgpRole === null
      ? []
      : [`  Local Role: ${peer.bgpRole}`, `  Remote Role: ${session?.peerRole ?? 'undefined'}`]),
    `  BGP version 4, remote router ID ${session?.peerRouterId ?? '0.0.0.0'}, local router ID ${localRouterId}`,
    `  BGP state = ${shown}${since}`,
  ];
}

function timers({ lastReadSeconds, lastWriteSeconds, session, configured }: NeighborDetail) {
  const negotiated = session
    ? `  Hold time is ${session.holdSeconds} seconds, keepalive interval is ${session.keepaliveSeconds} seconds`
    : '  Hold time and keepalive interval are not negotiated';
  return [
    `  Last read ${formatAge(lastReadSeconds)}, Last write ${formatAge(lastWriteSeconds)}`,
    negotiated,
    `  Configured hold time is ${configured.holdSeconds} seconds, keepalive interval is ${configured.keepaliveSeconds} seconds`,
  ];
}

function capabilities({ capabilities: views }: NeighborDetail): string[] {
  if (views.length === 0) return [];
  const lines = views.map(({ title, advertised, received }) => {
    const sides = [advertised && 'advertised', received && 'received'].filter(Boolean);
    return `    ${title}: ${sides.join(' and ')}`;
  });
  return ['  Neighbor capabilities:', ...lines];
}

function gracefulRestart({ gracefulRestart: restart, session, endOfRib }: NeighborDetail) {
  const { local, remote, stalePathSeconds } = restart;
  if (!local && !remote) return [];
  const kept = remote?.families.map(
    ({ family, forwarding }) =>
      `${FAMILY_TITLES[family]} (${forwarding ? 'preserved' : 'not preserved'})`,
  );
  const list = (families: readonly Family[]): string =>
    families.map((family) => FAMILY_TITLES[family]).join(', ') || 'none';
  return [
    '  Graceful restart information:',
    `    In use: ${session?.gracefulRestart ? 'yes' : 'no, one side does not announce it'}`,
    ...(local
      ? [
          `    Local: restart time ${local.restartSeconds} seconds, stale path time ${stalePathSeconds} seconds, R bit ${bit(local.restarted)}, N bit ${bit(local.notification)}`,
        ]
      : []),
    ...(remote
      ? [
          `    Remote: restart time ${remote.restartSeconds} seconds, R bit ${bit(remote.restarted)}, N bit ${bit(remote.notification)}`,
          `    Address families by peer: ${kept?.join(', ') || 'none'}`,
        ]
      : []),
    `    End-of-RIB send: ${list(endOfRib.sent)}`,
    `    End-of-RIB received: ${list(endOfRib.received)}`,
  ];
}

const bit = (isSet: boolean): string => (isSet ? 'set' : 'not set');

interface Statistic {
  readonly title: string;
  readonly sent: number;
  readonly received: number;
}

const STATISTICS: readonly Column<Statistic>[] = [
  { title: '', cell: ({ title }) => `    ${title}:` },
  { title: 'Sent', cell: ({ sent }) => sent, align: 'right' },
  { title: 'Rcvd', cell: ({ received }) => received, align: 'right' },
];

function statistics(peer: NeighborDetail): string[] {
  const { sent, received } = peer;
  const rows: Statistic[] = [
    { title: 'Opens', sent: sent.open, received: received.open },
    { title: 'Notifications', sent: sent.notification, received: received.notification },
    { title: 'Updates', sent: sent.update, received: received.update },
    { title: 'Keepalives', sent: sent.keepalive, received: received.keepalive },
    { title: 'Route Refresh', sent: sent.routeRefresh, received: received.routeRefresh },
    { title: 'Total', sent: peer.messagesSent, received: peer.messagesReceived },
  ];
  return [
    '  Message statistics:',
    `    Inq depth is ${peer.inQueueOctets} octets`,
    `    Outq depth is ${peer.outQueueOctets} octets`,
    ...formatTable(STATISTICS, rows).trimEnd().split('\n'),
  ];
}

function addressFamily(peer: NeighborDetail, family: Family, colours: Colours): string[] {
  const hints = prefixHints(peer, family).map((hint) => `  ${colours.yellow(hint)}`);
  const title = ` For address family: ${FAMILY_TITLES[family]}`;
  if (!isFamilyUp(peer, family)) return [title, ...hints];
  const [stale, filtered] = [peer.prefixesStale[family], peer.prefixesFiltered[family]];
  const heldBack = peer.prefixesHeldBack[family];
  const { maxPrefixes: limit, maxAdvertised } = peer.configured;
  const most = limit?.most[family];
  return [
    title,
    `  ${peer.prefixesReceived[family]} accepted prefixes${stale > 0 ? `, ${stale} of them stale` : ''}`,
    ...(filtered > 0 ? [`  ${filtered} filtered prefixes (bgp routes --filtered shows them)`] : []),
    `  ${peer.prefixesSent[family]} sent prefixes`,
    ...(heldBack > 0
      ? [`  ${heldBack} more held back: at most ${maxAdvertised?.[family]} are sent`]
      : []),
    ...addPath(peer, family),
    ...(limit && most !== undefined
      ? [
          `  Maximum prefixes allowed ${most} (${limit.action}), warning from ${limit.warningPercent}% on`,
        ]
      : []),
    ...hints,
  ];
}

/** Path identifiers in use, RFC 7911, and which paths go with them. */
function addPath({ session, configured }: NeighborDetail, family: Family): string[] {
  const { receive = [], send = [] } = session?.addPath ?? {};
  const selection = configured.addPath?.send ?? 'all';
  const which = typeof selection === 'object' ? `best ${selection.best}` : selection;
  return [
    ...(receive.includes(family) ? ['  Path identifiers received'] : []),
    ...(send.includes(family) ? [`  Path identifiers sent, paths: ${which}`] : []),
  ];
}

function history(peer: NeighborDetail, colours: Colours): string[] {
  const { lastReset, lastCommunication, lastError, session } = peer;
  const counts = (of: Readonly<Record<string, number>>): string =>
    Object.entries(of)
      .map(([reason, count]) => `${reason} ${count}`)
      .join(', ');
  const [refused, byRule] = [counts(peer.refused), counts(peer.refusedByRule)];
  const lines = [
    `  Connections established ${peer.timesEstablished}; dropped ${peer.timesDropped}`,
    ...(refused ? [`  Refused since it was configured: ${refused}`] : []),
    ...(byRule ? [`    Of them by import rules: ${byRule}`] : []),
  ];
  if (!lastReset) lines.push('  Last reset never');
  else {
    lines.push(`  Last reset ${formatAge(lastReset.secondsAgo)} ago, due to ${lastReset.reason}`);
    const { notification } = lastReset;
    if (notification) {
      const { direction, code, subcode, name, data } = notification;
      lines.push(
        `    Notification ${direction}: ${name} (${code}/${subcode})${data && ` ${data}`}`,
      );
    }
  }
  if (lastCommunication !== null) lines.push(`    The peer's operator: "${lastCommunication}"`);
  if (!session && lastError !== null && lastError !== lastReset?.reason) {
    lines.push(`  ${colours.red(`Last error: ${lastError}`)}`);
  }
  return lines;
}

function transport({ session, endpoints, address, configured, bfd }: NeighborDetail): string[] {
  const { minTtl, ttl, hasPassword, passive, connectRetrySeconds, port } = configured;
  const hops = minTtl === null ? '' : `, least TTL accepted ${minTtl} (GTSM)`;
  return [
    ...(session && endpoints
      ? [
          `Local host: ${session.localAddress}, Local port: ${endpoints.localPort}`,
          `Foreign host: ${address}, Foreign port: ${endpoints.remotePort}`,
        ]
      : [`Foreign host: ${address}, configured port: ${port}`]),
    `TTL of what is sent ${ttl}${hops}`,
    `BGP Connect Retry Timer in Seconds: ${connectRetrySeconds}${passive ? '; passive: waits to be dialled' : ''}`,
    ...(bfd === null ? [] : [`BFD: ${bfd}`]),
    `Peer Authentication ${hasPassword ? 'Enabled (TCP-MD5)' : 'Disabled'}`,
  ];
}
