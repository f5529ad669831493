import type {
  BgpSession,
  HostBlock,
  LabState,
  LinkState,
  NodeMemory,
  NodeState,
} from '@overland/lab';
import type { Colours } from '../colours.ts';
import { formatSeconds } from '../duration.ts';
import { formatTable } from '../table.ts';

/** Nodes with their image, addresses, and what they cost, if that was measured. */
export function nodesTable(
  { nodes }: LabState,
  colours: Colours,
  memory: readonly NodeMemory[] = [],
): string {
  const megabytes = ({ node }: NodeState): string => {
    const processes = memory.find((one) => one.node === node.name)?.processes ?? [];
    return (processes.reduce((sum, { pssBytes }) => sum + pssBytes, 0) / 2 ** 20).toFixed(0);
  };
  const cost = { title: 'PSS MB', cell: megabytes, align: 'right' as const };
  const loopback = ({ interfaces }: NodeState): string =>
    interfaces.find(({ name }) => name === 'lo')?.addresses.join(' ') ?? '';
  return formatTable<NodeState>(
    [
      { title: 'NODE', cell: ({ node }) => node.name },
      { title: 'STATE', cell: ({ pid }) => (pid ? colours.green('running') : colours.red('gone')) },
      { title: 'IMAGE', cell: ({ node }) => node.image || node.kind },
      { title: 'LOOPBACK', cell: loopback },
      {
        title: 'MANAGEMENT',
        cell: ({ node }) => node.managementAddresses?.ipv4.address ?? '',
      },
      ...(memory.length > 0 ? [cost] : []),
    ],
    nodes,
    colours.dim,
  );
}

/** Links with their condition. */
export function linksTable({ links }: LabState, colours: Colours): string {
  const end = ({ link }: LinkState, side: 0 | 1): string =>
    `${link.endpoints[side].node}:${link.endpoints[side].interface}`;
  const paint = {
    up: colours.green,
    down: colours.red,
    silent: colours.yellow,
    missing: colours.red,
  };
  return formatTable<LinkState>(
    [
      { title: 'LINK', cell: (row) => end(row, 0) },
      { title: '', cell: (row) => end(row, 1) },
      { title: 'STATE', cell: ({ condition }) => paint[condition](condition) },
    ],
    links,
    colours.dim,
  );
}

/** One row per pair of peers: both ends and both families together. */
interface Peering {
  readonly a: string;
  readonly b: string;
  readonly asNumbers: string;
  readonly sessions: readonly BgpSession[];
}

/** BGP peerings: a row per pair, with the state of each family as the worse of its two ends. */
export function peeringsTable({ sessions }: LabState, colours: Colours): string {
  const peerings = new Map<string, Peering>();
  for (const session of sessions) {
    const other = session.peer ?? session.peerAddress;
    const key = [session.node, other].toSorted().join(' ');
    const known = peerings.get(key);
    peerings.set(key, {
      a: known?.a ?? session.node,
      b: known?.b ?? other,
      asNumbers: known?.asNumbers ?? `${session.localAs} – ${session.remoteAs}`,
      sessions: [...(known?.sessions ?? []), session],
    });
  }
  const family = (name: 'ipv4' | 'ipv6') => (row: Peering) =>
    familyState(
      row.sessions.filter((session) => session.family === name),
      colours,
    );
  return formatTable<Peering>(
    [
      { title: 'PEERING', cell: ({ a }) => a },
      { title: '', cell: ({ b }) => b },
      { title: 'AS', cell: ({ asNumbers }) => asNumbers },
      { title: 'IPV4', cell: family('ipv4') },
      { title: 'IPV6', cell: family('ipv6') },
    ],
    [...peerings.values()],
    colours.dim,
  );
}

function familyState(sessions: readonly BgpSession[], colours: Colours): string {
  if (sessions.length === 0) return '';
  const bad = sessions.find(({ state }) => state !== 'Established');
  if (bad) return colours.red(bad.state);
  const routes = sessions.map(({ received }) => received ?? '?').join('/');
  const uptime = Math.min(...sessions.map(({ uptimeSeconds }) => uptimeSeconds ?? 0));
  return `${colours.green('up')} ${formatSeconds(uptime)}, ${routes} routes`;
}

/** Blocks of the hosts. */
export function blocksTable(blocks: readonly HostBlock[], colours: Colours): string {
  return formatTable<HostBlock>(
    [
      { title: 'HOST', cell: ({ node }) => node },
      { title: 'BLOCK', cell: ({ prefix }) => prefix },
      { title: 'USED', cell: ({ used }) => used, align: 'right' },
    ],
    blocks,
    colours.dim,
  );
}
