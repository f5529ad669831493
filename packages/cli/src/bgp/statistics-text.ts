import type { SpeakerStatistics } from '@overland/bgp/node';
import type { Colours } from '../colours.ts';
import { type Column, formatTable } from '../table.ts';
import { FAMILY_TITLES } from './peer-state.ts';

const MESSAGES = [
  ['Opens', 'open'],
  ['Updates', 'update'],
  ['Notifications', 'notification'],
  ['Keepalives', 'keepalive'],
  ['Route Refresh', 'routeRefresh'],
] as const;

interface MessageRow {
  readonly title: string;
  readonly sent: number;
  readonly received: number;
}

const MESSAGE_COLUMNS: readonly Column<MessageRow>[] = [
  { title: 'Messages', cell: ({ title }) => `  ${title}` },
  { title: 'Sent', cell: ({ sent }) => sent, align: 'right' },
  { title: 'Rcvd', cell: ({ received }) => received, align: 'right' },
];

type FamilyRow = SpeakerStatistics['tables']['families']['ipv4'] & { readonly title: string };

const FAMILY_COLUMNS: readonly Column<FamilyRow>[] = [
  { title: 'Tables', cell: ({ title }) => `  ${title}` },
  { title: 'Prefixes', cell: ({ prefixes }) => prefixes, align: 'right' },
  { title: 'Paths', cell: ({ paths }) => paths, align: 'right' },
  { title: 'Next hops', cell: ({ nextHops }) => nextHops, align: 'right' },
  { title: 'Decisions', cell: ({ decisions }) => decisions, align: 'right' },
  { title: 'Best changed', cell: ({ bestChanges }) => bestChanges, align: 'right' },
  { title: 'Undecided', cell: ({ undecided }) => undecided, align: 'right' },
  { title: 'To kernel', cell: ({ pendingKernelRoutes }) => pendingKernelRoutes, align: 'right' },
];

/** Counts of a speaker for people. */
export function statisticsText(statistics: SpeakerStatistics, colours: Colours): string {
  const { sessions, sent, received, refused, refusedByRule, notifications } = statistics;
  const messages = MESSAGES.map(([title, key]) => ({
    title,
    sent: sent[key],
    received: received[key],
  }));
  const families = (['ipv4', 'ipv6'] as const).map((family) => ({
    title: FAMILY_TITLES[family],
    ...statistics.tables.families[family],
  }));
  const said = notifications.map(({ direction, name, count }) => `${direction} ${name} ${count}`);
  return [
    `Sessions: ${listed(sessions)}\n\n`,
    formatTable(MESSAGE_COLUMNS, messages, colours.dim),
    `Notifications: ${said.join(', ') || 'none'}\n`,
    `Refused: ${listed(refused)}\n`,
    `  by rule: ${listed(refusedByRule)}\n\n`,
    formatTable(FAMILY_COLUMNS, families, colours.dim),
    ...resourceLines(statistics),
  ].join('');
}

function resourceLines(statistics: SpeakerStatistics): string[] {
  const { tables, queues, convergence, loopDelay, longestTurnMs, memory } = statistics;
  const { count, lastMs, longestMs } = convergence;
  const last = lastMs === null ? 'never yet' : `last ${ms(lastMs)}, longest ${ms(longestMs)}`;
  return [
    `Attributes: ${tables.attributeSets} sets in ${mebibytes(tables.attributeOctets)}\n\n`,
    `Queues: ${queues.unreadOctets} octets to read, ${queues.unsentOctets} octets to send, `,
    `${queues.announcing} prefixes to announce, ${queues.withdrawing} to withdraw\n`,
    `Convergence: ${count} times, ${last}\n`,
    `Event loop late by: median ${ms(loopDelay.medianMs)}, 99% ${ms(loopDelay.p99Ms)}, most ${ms(loopDelay.longestMs)}; `,
    `longest turn ${ms(longestTurnMs)} of CPU\n`,
    `Memory: ${mebibytes(memory.arrayOctets)} in arrays, ${mebibytes(memory.heapOctets)} of heap; `,
    `${mebibytes(memory.residentOctets)} resident, the whole process\n`,
  ];
}

function listed(counts: Readonly<Record<string, number>>): string {
  const entries = Object.entries(counts).filter(([, count]) => count > 0);
  return entries.map(([name, count]) => `${name} ${count}`).join(', ') || 'none';
}

function ms(value: number): string {
  return `${value.toFixed(1)} ms`;
}

function mebibytes(octets: number): string {
  return `${(octets / 2 ** 20).toFixed(1)} MiB`;
}
