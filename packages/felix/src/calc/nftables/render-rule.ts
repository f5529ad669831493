import { familyOf, type Prefix } from '@overland/net';
import type {
  ActiveRule,
  ActiveSide,
  IcmpMatch,
  PortMatches,
  SetId,
} from '../policy/active-rule.ts';
import { DENIED_CHAIN, type Version } from './names.ts';

/** Mark bits in which policy chains tell the chain that called them what they decided; Calico's first two. */
export const ACCEPT_MARK = 0x10000;
export const PASS_MARK = 0x20000;
/** Group of NFLOG that Log rules write to: the kernel's own log is silent in namespaces. */
const LOG_GROUP = 1;

const ACTIONS = {
  Allow: `meta mark set meta mark or ${hex(ACCEPT_MARK)} return`,
  Pass: `meta mark set meta mark or ${hex(PASS_MARK)} return`,
  Deny: `goto ${DENIED_CHAIN}`,
} as const;

const ICMP = { 4: { name: 'icmp', protocol: 1 }, 6: { name: 'icmpv6', protocol: 58 } } as const;

/** The kernel's set of one IP version. */
export type SetNames = (id: SetId, version: Version) => string;

/** The kernel takes no more of a prefix of Log, octets. */
const MAX_LOG_PREFIX = 127;

/**
 * A rule as lines of nft, with the same meaning as `mismatches` gives it: none if it can match nothing, several where
 * nft has no single expression for a choice. For one packet at most one line decides.
 *
 * @param label What Log writes; what is too long is cut at its beginning.
 */
export function renderRule(rule: ActiveRule, label: string, setNames: SetNames): string[] {
  if (rule.inert !== undefined) return [];
  const { action } = rule;
  const does =
    action === 'Log'
      ? `log prefix "${label.slice(-MAX_LOG_PREFIX)}" group ${LOG_GROUP}`
      : ACTIONS[action];
  const [v4, v6] = ([4, 6] as const).map((version) =>
    alternatives(rule, version, setNames).map((matches) => [...matches, does].join(' ')),
  );
  // Without a word about addresses, one line serves both versions.
  if (String(v4) === String(v6)) return v4 ?? [];
  return [
    ...(v4 ?? []).map((line) => `meta nfproto ipv4 ${line}`),
    ...(v6 ?? []).map((line) => `meta nfproto ipv6 ${line}`),
  ];
}

/** Each a list of expressions that must all hold; one of them must. */
type Alternatives = readonly (readonly string[])[];

const NEVER: Alternatives = [];
const ALWAYS: Alternatives = [[]];

function alternatives(rule: ActiveRule, version: Version, setNames: SetNames): Alternatives {
  const { ipVersion, protocol, notProtocol, icmp, notIcmp, source, destination } = rule;
  if (ipVersion !== undefined && ipVersion !== version) return NEVER;
  return product(
    protocol === undefined ? ALWAYS : [[`meta l4proto ${protocol}`]],
    notProtocol === undefined ? ALWAYS : [[`meta l4proto != ${notProtocol}`]],
    icmp === undefined ? ALWAYS : icmpAlternatives(icmp, protocol, version),
    notIcmp === undefined ? ALWAYS : notIcmpAlternatives(notIcmp, protocol, version),
    sideAlternatives(source, 's', version, setNames),
    sideAlternatives(destination, 'd', version, setNames),
  );
}

/** What holds if one of each holds. */
function product(...factors: readonly Alternatives[]): Alternatives {
  return factors.reduce(
    (all, factor) => all.flatMap((left) => factor.map((right) => [...left, ...right])),
    ALWAYS,
  );
}

function icmpAlternatives(
  match: IcmpMatch,
  protocol: number | undefined,
  version: Version,
): Alternatives {
  const { name, protocol: own } = ICMP[version];
  if (protocol !== own) return NEVER;
  const { type, code } = match;
  return [
    [
      ...(type === undefined ? [] : [`${name} type ${type}`]),
      ...(code === undefined ? [] : [`${name} code ${code}`]),
    ],
  ];
}

/** Packets of other protocols have no type that could be excluded. */
function notIcmpAlternatives(
  { type, code }: IcmpMatch,
  protocol: number | undefined,
  version: Version,
): Alternatives {
  const { name, protocol: own } = ICMP[version];
  if (type === undefined) return NEVER;
  if (protocol !== undefined && protocol !== own) return ALWAYS;
  const otherType = [`${name} type != ${type}`];
  const other =
    code === undefined
      ? [otherType]
      : [otherType, [`${name} type ${type}`, `${name} code != ${code}`]];
  return protocol === own ? other : [[`meta l4proto != ${own}`], ...other];
}

function sideAlternatives(
  side: ActiveSide,
  end: 's' | 'd',
  version: Version,
  setNames: SetNames,
): Alternatives {
  const { nets, notNets, sets, notSets, ports, notPorts } = side;
  const address = `${version === 4 ? 'ip' : 'ip6'} ${end}addr`;
  const ofVersion = (prefixes: readonly Prefix[]) =>
    prefixes.filter((prefix) => familyOf(prefix) === `ipv${version}`);
  const inNets = ofVersion(nets);
  if (nets.length > 0 && inNets.length === 0) return NEVER;
  const outside = ofVersion(notNets);
  const port = `th ${end}port`;
  const member = `${address} . meta l4proto . ${port}`;
  return product(
    [
      [
        ...(inNets.length > 0 ? [`${address} ${listed(inNets)}`] : []),
        ...(outside.length > 0 ? [`${address} != ${listed(outside)}`] : []),
        ...sets.map((id) => `${address} @${setNames(id, version)}`),
        ...notSets.map((id) => `${address} != @${setNames(id, version)}`),
        ...(notPorts ? notPortMatches(notPorts) : []),
      ],
    ],
    ports ? portAlternatives(ports) : ALWAYS,
  );

  function portAlternatives({ ranges, sets: ids }: PortMatches): Alternatives {
    return [
      ...(ranges.length > 0 ? [[`${port} ${rangesText(ranges)}`]] : []),
      ...ids.map((id) => [`${member} @${setNames(id, version)}`]),
    ];
  }

  function notPortMatches({ ranges, sets: ids }: PortMatches): string[] {
    return [
      ...(ranges.length > 0 ? [`${port} != ${rangesText(ranges)}`] : []),
      ...ids.map((id) => `${member} != @${setNames(id, version)}`),
    ];
  }
}

function rangesText(ranges: PortMatches['ranges']): string {
  return listed(
    ranges.map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`)),
  );
}

function listed(items: readonly string[]): string {
  return `{ ${items.join(', ')} }`;
}

/** A mark as nft prints it. */
export function hex(mark: number): string {
  return `0x${(mark >>> 0).toString(16).padStart(8, '0')}`;
}
