import { familyOf, type Prefix } from '@overland/net';
import type { ActiveRule, ActiveSide, IcmpMatch, PortMatches } from '../policy/active-rule.ts';
import { setName, type Version } from './names.ts';

/** Ports that one multiport match holds; a range counts twice. */
const MAX_PORTS = 15;

const ICMP = {
  4: { protocol: 1, match: '-m icmp', option: '--icmp-type' },
  6: { protocol: 58, match: '-m icmp6', option: '--icmpv6-type' },
} as const;

/** Protocols that multiport knows and policies can name ports of: TCP, UDP, SCTP. */
const PROTOCOLS_WITH_PORTS = [6, 17, 132];

/** When a rule matches. */
export interface Conditions {
  /** `-p 6`, for lines of their own; empty: any. */
  readonly protocol: string;
  /** Holds in one line, protocol included. */
  readonly always: string;
  /** Of each, one must hold. */
  readonly choices: readonly (readonly string[])[];
  /** None of these may hold. */
  readonly excluded: readonly string[];
}

/** Collects what a rule asks for; `isNever` as soon as it cannot match. */
class Collector {
  isNever = false;
  readonly always: string[] = [];
  readonly choices: string[][] = [];
  readonly excluded: string[] = [];

  oneOf(alternatives: readonly string[]): void {
    const [only] = alternatives;
    if (only === undefined) this.isNever = true;
    else if (alternatives.length === 1) this.always.push(only);
    else this.choices.push([...alternatives]);
  }
}

/** @returns `undefined` if the rule matches no packet of this version. */
export function conditionsOf(rule: ActiveRule, version: Version): Conditions | undefined {
  const { ipVersion, protocol, notProtocol, icmp, notIcmp, source, destination } = rule;
  if (ipVersion !== undefined && ipVersion !== version) return undefined;
  if (protocol !== undefined && protocol === notProtocol) return undefined;
  const collected = new Collector();
  // The protocol excludes all others by itself, and a line can name but one.
  const ofProtocol = protocol !== undefined ? `-p ${protocol}` : '';
  if (ofProtocol) collected.always.push(ofProtocol);
  else if (notProtocol !== undefined) collected.always.push(`! -p ${notProtocol}`);
  if (icmp) collectIcmp(collected, icmp, protocol, version);
  if (notIcmp) collectNotIcmp(collected, notIcmp, protocol, version);
  collectSide(collected, { side: source, end: 'source', protocol, version });
  collectSide(collected, { side: destination, end: 'destination', protocol, version });
  if (collected.isNever) return undefined;
  const { always, choices, excluded } = collected;
  return { protocol: ofProtocol, always: always.join(' '), choices, excluded };
}

function collectIcmp(
  collected: Collector,
  match: IcmpMatch,
  protocol: number | undefined,
  version: Version,
): void {
  if (protocol !== ICMP[version].protocol) collected.isNever = true;
  // Without a type there is no code: validation sees to it.
  else if (match.type !== undefined) collected.always.push(icmpMatch(match, version));
}

/** Packets of other protocols have no type that could be excluded. */
function collectNotIcmp(
  collected: Collector,
  match: IcmpMatch,
  protocol: number | undefined,
  version: Version,
): void {
  const own = ICMP[version].protocol;
  if (match.type === undefined) collected.isNever = true;
  else if (protocol === own) collected.always.push(icmpMatch(match, version, '! '));
  else if (protocol === undefined) {
    collected.excluded.push(`-p ${own} ${icmpMatch(match, version)}`);
  }
}

function icmpMatch({ type, code }: IcmpMatch, version: Version, not = ''): string {
  const { match, option } = ICMP[version];
  return `${match} ${not}${option} ${type}${code === undefined ? '' : `/${code}`}`;
}

interface SideAsked {
  readonly side: ActiveSide;
  readonly end: 'source' | 'destination';
  readonly protocol: number | undefined;
  readonly version: Version;
}

function collectSide(collected: Collector, { side, end, protocol, version }: SideAsked): void {
  const { nets, notNets, sets, notSets, ports, notPorts } = side;
  const { always, excluded } = collected;
  const [option, word] = end === 'source' ? ['-s', 'src'] : ['-d', 'dst'];
  const ofVersion = (prefixes: readonly Prefix[]) =>
    prefixes.filter((prefix) => familyOf(prefix) === `ipv${version}`);
  const inSet = (id: string) => `--match-set ${setName(id, version)} ${word}`;
  if (nets.length > 0) collected.oneOf(ofVersion(nets).map((net) => `${option} ${net}`));
  const outside = ofVersion(notNets);
  // A line can name but one address of an end.
  if (outside.length === 1 && nets.length === 0) always.push(`! ${option} ${outside[0]}`);
  else excluded.push(...outside.map((net) => `${option} ${net}`));
  always.push(...sets.map((id) => `-m set ${inSet(id)}`));
  always.push(...notSets.map((id) => `-m set ! ${inSet(id)}`));
  if (ports) {
    const alternatives = rangeMatches(ports, end, protocol);
    collected.oneOf([...alternatives, ...ports.sets.map((id) => `-m set ${inSet(id)},${word}`)]);
  }
  if (notPorts) {
    const matches = rangeMatches(notPorts, end, protocol);
    const isOneLine = protocol !== undefined;
    if (isOneLine) always.push(...matches.map((match) => match.replace(' --', ' ! --')));
    else excluded.push(...matches);
    always.push(...notPorts.sets.map((id) => `-m set ! ${inSet(id)},${word}`));
  }
}

/** Each a match of ports; without a protocol, lines of their own. */
function rangeMatches(
  { ranges }: PortMatches,
  end: 'source' | 'destination',
  protocol: number | undefined,
): string[] {
  const texts = ranges.map(({ first, last }) => (first === last ? `${first}` : `${first}:${last}`));
  const lists = inPieces(texts).map((piece) => `-m multiport --${end}-ports ${piece.join(',')}`);
  if (protocol !== undefined) return lists;
  return PROTOCOLS_WITH_PORTS.flatMap((one) => lists.map((list) => `-p ${one} ${list}`));
}

function inPieces(ports: readonly string[]): string[][] {
  const pieces: string[][] = [];
  let room = 0;
  for (const port of ports) {
    const size = port.includes(':') ? 2 : 1;
    if (size > room) {
      pieces.push([]);
      room = MAX_PORTS;
    }
    pieces.at(-1)?.push(port);
    room -= size;
  }
  return pieces;
}
