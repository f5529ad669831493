import type { NodeStatus } from '@overland/agent/client';
import type { Colours } from './colours.ts';
import { type Column, formatTable } from './table.ts';

type Peer = NonNullable<NodeStatus['bgp']>['peers'][number];
type Block = NodeStatus['blocks'][number];

/** `overland node status` for a person. */
export function nodeStatusText(status: NodeStatus, colours: Colours): string {
  const sections = [
    headText(status, colours),
    peersText(status, colours),
    formatTable(BLOCK_COLUMNS, status.blocks, colours.bold),
    dataplaneText(status),
    problemsText(status, colours),
  ];
  return sections.filter((text) => text !== '').join('\n');
}

function headText({ nodeName, bgp, addresses, datastore }: NodeStatus, colours: Colours): string {
  const isSynced = datastore.state === 'synced';
  const state = (isSynced ? colours.green : colours.yellow)(datastore.state);
  const error = datastore.lastError === undefined ? '' : ` (${datastore.lastError})`;
  return [
    `Node       ${nodeName}, AS ${bgp?.asn ?? 'not known yet'}, ${addresses.join(' ') || 'no address'}`,
    `Datastore  ${datastore.type}, ${state}${error}`,
    '',
  ].join('\n');
}

function peersText({ bgp }: NodeStatus, colours: Colours): string {
  if (!bgp) return 'BGP        the speaker has no configuration yet\n';
  const columns: readonly Column<Peer>[] = [
    { title: 'PEER', cell: ({ name }) => name },
    { title: 'ADDRESS', cell: ({ address }) => address },
    { title: 'AS', cell: ({ asn }) => asn ?? '-', align: 'right' },
    {
      title: 'STATE',
      cell: ({ state }) => (state === 'Established' ? colours.green(state) : colours.red(state)),
    },
    { title: 'UP/DOWN', cell: ({ upDownSeconds }) => duration(upDownSeconds), align: 'right' },
    { title: 'RECEIVED', cell: ({ prefixesReceived }) => total(prefixesReceived), align: 'right' },
    { title: 'SENT', cell: ({ prefixesSent }) => total(prefixesSent), align: 'right' },
    {
      title: 'INFO',
      cell: ({ state, lastError }) => (state === 'Established' ? '' : (lastError ?? '')),
    },
  ];
  const deferring = bgp.deferring ? 'restarted: waiting for the routes of the peers\n' : '';
  return formatTable(columns, bgp.peers, colours.bold) + deferring;
}

const BLOCK_COLUMNS: readonly Column<Block>[] = [
  { title: 'BLOCK', cell: ({ cidr }) => cidr },
  { title: 'STATE', cell: ({ confirmed }) => (confirmed ? 'confirmed' : 'pending') },
  { title: 'USED', cell: ({ used }) => used, align: 'right' },
  { title: 'FREE', cell: ({ size, used }) => size - used, align: 'right' },
];

function dataplaneText({
  dataplane: { local, policy, learned, nextHopObjects, repairs },
}: NodeStatus): string {
  const families = ['ipv4', 'ipv6'] as const;
  const routes = families.map((family) => {
    const { programmed, wanted, stale } = learned[family];
    return `${family} ${programmed} of ${wanted}${stale > 0 ? ` and ${stale} stale` : ''}`;
  });
  const waiting = local.waiting.length > 0 ? `, waiting for ${local.waiting.join(' ')}` : '';
  return [
    `Learned routes in the kernel  ${routes.join(', ')}, through ${nextHopObjects} next-hop objects`,
    `Own routes in the kernel      ${local.routes.programmed} of ${local.routes.wanted}`,
    `Workloads                     ${local.endpoints}${waiting}`,
    `Policies                      ${policy ? policyText(policy) : 'no packet filter'}`,
    `Repairs                       ${repairs}`,
    '',
  ].join('\n');
}

function policyText({
  packetFilter,
  policies,
  endpoints,
  sets,
}: NonNullable<NodeStatus['dataplane']['policy']>): string {
  const place = packetFilter === undefined ? '' : `, in ${packetFilter}`;
  return `${policies}, with ${sets} sets, about ${endpoints} workloads${place}`;
}

function problemsText({ problems, dataplane }: NodeStatus, colours: Colours): string {
  const mark = colours.yellow('problem');
  return [
    ...problems.map(({ resource, reason }) => `${mark}  ${resource}: ${reason}\n`),
    ...dataplane.failures.map(
      ({ what, reason, attempts }) => `${mark}  ${what}: ${reason} (${attempts} tries)\n`,
    ),
  ].join('');
}

function total(counts: Readonly<Record<'ipv4' | 'ipv6', number>>): number {
  return counts.ipv4 + counts.ipv6;
}

/** As FRR writes it: `00:01:05`, `1d02h03m`, `never`. */
function duration(seconds: number | null): string {
  if (seconds === null) return 'never';
  const two = (value: number): string => String(Math.floor(value)).padStart(2, '0');
  const days = Math.floor(seconds / 86_400);
  const hours = (seconds % 86_400) / 3600;
  const minutes = (seconds % 3600) / 60;
  return days > 0
    ? `${days}d${two(hours)}h${two(minutes)}m`
    : `${two(hours)}:${two(minutes)}:${two(seconds % 60)}`;
}
