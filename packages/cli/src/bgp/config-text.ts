import {
  type PeerConfig,
  placeOf,
  type RouteFilter,
  remoteAsText,
  type SpeakerConfig,
} from '@overland/bgp';
import type { Diagnostic } from '@overland/fabric';
import type { Colours } from '../colours.ts';
import { type Column, formatTable } from '../table.ts';

type FilterRow = RouteFilter['rules'][number] & { readonly label: string };

/** A speaker's configuration for people: who it peers with, what it filters and offers, what has no effect. */
export function configText(
  config: SpeakerConfig,
  diagnostics: readonly Diagnostic[],
  colours: Colours,
): string {
  const { routerId, asn, role, listen, peers, filters = [], originate } = config;
  const listening = listen.map(({ address, port }) => `${address} port ${port}`).join(', ');
  const sections = [
    `BGP router identifier ${routerId}, local AS ${asn}, role ${role}\nlistens on ${listening || 'nothing'}\n`,
    peers.length > 0 ? formatTable(PEER_COLUMNS, peers, colours.dim) : 'no peers\n',
  ];
  if (filters.length > 0) {
    sections.push(formatTable(RULE_COLUMNS, filters.flatMap(ruleRows), colours.dim));
  }
  sections.push(originate.length > 0 ? `offers ${originate.join(', ')}\n` : 'offers no prefix\n');
  if (diagnostics.length > 0) {
    const lines = diagnostics.map(({ resource, reason }) => `${resource}: ${reason}\n`);
    sections.push(colours.yellow(lines.join('')));
  }
  return sections.join('\n');
}

const PEER_COLUMNS: readonly Column<PeerConfig>[] = [
  { title: 'PEER', cell: ({ name }) => name },
  { title: 'ADDRESS', cell: placeOf },
  { title: 'PORT', cell: ({ port }) => port, align: 'right' },
  { title: 'AS', cell: ({ asn }) => remoteAsText(asn), align: 'right' },
  { title: 'FAMILIES', cell: ({ families }) => families.join(' ') },
  { title: 'HOLD', cell: ({ holdSeconds }) => `${holdSeconds}s`, align: 'right' },
  { title: 'NEXT HOP', cell: ({ nextHop }) => nextHop },
  { title: 'CHECKS', cell: ({ importSafety }) => checksOf(importSafety) },
  { title: 'IMPORT', cell: ({ importFilters }) => importFilters?.join(' ') ?? '-' },
  { title: 'EXPORT', cell: ({ exportFilters }) => exportFilters?.join(' ') ?? '-' },
];

const RULE_COLUMNS: readonly Column<FilterRow>[] = [
  { title: 'RULE', cell: ({ label }) => label },
  { title: 'ROUTES', cell: ({ match }) => (match ? JSON.stringify(match) : 'all') },
  { title: 'ACTION', cell: ({ action }) => action },
  { title: 'CHANGES', cell: ({ set }) => (set ? JSON.stringify(set) : '-') },
];

/** Built-in checks of what the peer sends. */
function checksOf(checks: PeerConfig['importSafety']): string {
  if (!checks) return 'none';
  const allowed = [checks.isNode && 'node', checks.defaultRoute && 'default route'].filter(Boolean);
  return allowed.length > 0 ? `all but ${allowed.join(', ')}` : 'all';
}

/** Labelled as verdicts are. */
function ruleRows({ name, rules }: RouteFilter): FilterRow[] {
  return rules.map((rule, i) => ({
    ...rule,
    label: rule.name === undefined ? `${name}[${i}]` : `${name}/${rule.name}`,
  }));
}
