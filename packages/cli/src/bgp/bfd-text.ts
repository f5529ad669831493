import type { BfdStatus, BfdSummary } from '@overland/bgp/bfd';
import type { Colours } from '../colours.ts';
import { type Column, formatTable } from '../table.ts';
import { formatAge } from './age.ts';

const STATES = { AdminDown: 'shutdown', Down: 'down', Init: 'init', Up: 'up' } as const;

/** The sessions in FRR's words, a line each, and why those that are not up are so. */
export function bfdText({ sessions, discarded, scheduling }: BfdSummary, colours: Colours): string {
  const lines: string[] = [];
  if (sessions.length > 0) lines.push(formatTable(columns(colours), sessions, colours.dim), '\n');
  for (const session of sessions) {
    if (session.state !== 'Up') lines.push(`${colours.red(session.key)}: ${reason(session)}\n`);
  }
  const up = sessions.filter(({ state }) => state === 'Up').length;
  lines.push(`${sessions.length} sessions, ${up} up; scheduling ${scheduling}\n`);
  const dropped = Object.entries(discarded).map(([why, count]) => `${count} ${why}`);
  if (dropped.length > 0) lines.push(`discarded: ${dropped.join(', ')}\n`);
  return lines.join('');
}

function columns(colours: Colours): readonly Column<BfdStatus>[] {
  const right = 'right' as const;
  return [
    { title: 'Peer', cell: ({ peer }) => peer },
    { title: 'Interface', cell: ({ device }) => device ?? '-' },
    { title: 'Type', cell: ({ multihop }) => (multihop ? 'multihop' : 'single hop') },
    {
      title: 'Status',
      cell: ({ state }) => (state === 'Up' ? STATES[state] : colours.red(STATES[state])),
    },
    { title: 'Since', cell: ({ stateSeconds }) => formatAge(stateSeconds), align: right },
    { title: 'Tx', cell: ({ transmitMs }) => milliseconds(transmitMs), align: right },
    { title: 'Rx', cell: ({ local }) => milliseconds(local.receiveMs), align: right },
    { title: 'Detection', cell: ({ detectionMs }) => milliseconds(detectionMs), align: right },
    { title: 'Ups', cell: ({ timesUp }) => timesUp, align: right },
    { title: 'Downs', cell: ({ timesDown }) => timesDown, align: right },
    { title: 'PktsIn', cell: ({ packetsReceived }) => packetsReceived, align: right },
    { title: 'PktsOut', cell: ({ packetsSent }) => packetsSent, align: right },
  ];
}

function reason({ diagnostic, remote, sendError, packetsReceived, passive }: BfdStatus): string {
  if (sendError !== null) return `packets cannot be sent: ${sendError}`;
  if (packetsReceived === 0) {
    return passive ? 'passive, nothing heard of the peer' : 'nothing heard of the peer';
  }
  return `${diagnostic}; peer: ${STATES[remote.state]}, ${remote.diagnostic}`;
}

function milliseconds(value: number | null): string {
  return value === null || value === 0 ? '-' : `${value}ms`;
}
