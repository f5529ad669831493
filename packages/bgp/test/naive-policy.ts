import {
  type Asn,
  contains,
  type Family,
  familyOf,
  type IpAddress,
  type Prefix,
  parseAddress,
  parsePrefix,
  prefixBytes,
  prefixLength,
} from '@overland/net';
import type { RouteFacts } from '../src/core/policy/compiled-policy.ts';
import type {
  FilterRule,
  PrefixMatch,
  RouteChanges,
  RouteFilter,
  RouteMatch,
} from '../src/core/policy/route-filter.ts';
import { describeAttributes } from '../src/core/wire/describe-attributes.ts';
import { NlriList } from '../src/core/wire/nlri.ts';

// Filters as their documentation reads, one rule after the other on plain values. Slow, and without a line in
// common with what it is compared with.

/** A place of an AS path: a number, or the numbers of a set. */
type Place = number | readonly number[];

export interface NaiveRoute {
  readonly prefix: Prefix;
  readonly asPath: readonly Place[];
  readonly med?: number | undefined;
  readonly localPref?: number | undefined;
  /** `aa:nn` or `aa:nn:mm`. */
  readonly communities: readonly string[];
  /** Bits per second, which 32 bits can tell; of AS 1, or in the words of a rule. */
  readonly linkBandwidth?: number | undefined;
  readonly saysBandwidth?: boolean;
  readonly isEbgp: boolean;
  readonly isLearned: boolean;
  readonly nextHop?: IpAddress | undefined;
  readonly interface?: string | undefined;
}

export interface NaiveOutcome {
  readonly accepted: boolean;
  readonly rule: string;
  readonly route: NaiveRoute;
}

export function naiveVerdict(filters: readonly RouteFilter[], start: NaiveRoute): NaiveOutcome {
  let route = start;
  for (const { name, rules } of filters) {
    for (const [i, rule] of rules.entries()) {
      if (!holds(rule, start)) continue;
      const label = rule.name === undefined ? `${name}[${i}]` : `${name}/${rule.name}`;
      if (rule.action === 'reject') return { accepted: false, rule: label, route };
      route = change(route, rule.set ?? {});
      if (rule.action === 'accept') return { accepted: true, rule: label, route };
    }
  }
  return { accepted: true, rule: 'default', route };
}

function holds({ family, match = {} }: FilterRule, route: NaiveRoute): boolean {
  if (family !== undefined && family !== familyOf(route.prefix)) return false;
  if (match.prefix && !holdsPrefix(match.prefix, route.prefix)) return false;
  if (match.isLearned !== undefined && match.isLearned !== route.isLearned) return false;
  if (match.peerType !== undefined && (match.peerType === 'ebgp') !== route.isEbgp) return false;
  if (match.med !== undefined && match.med !== (route.med ?? 0)) return false;
  if (match.localPrefs && !match.localPrefs.includes(route.localPref ?? 100)) return false;
  if (match.nextHops && !match.nextHops.some((address) => address === route.nextHop)) return false;
  return holdsInterface(match, route) && holdsLists(match, route);
}

function holdsInterface(match: RouteMatch, route: NaiveRoute): boolean {
  if (match.interface === undefined) return true;
  const pattern = match.interface.replaceAll('.', '\\.').replaceAll('*', '.*');
  return route.interface !== undefined && new RegExp(`^${pattern}$`).test(route.interface);
}

function holdsLists({ asPath = {}, communities = {} }: RouteMatch, route: NaiveRoute): boolean {
  const places = route.asPath;
  const { beginsWith = [], endsWith = [], contains: within = [] } = asPath;
  const isAt = (place: Place | undefined, asn: number) =>
    typeof place === 'number' ? place === asn : (place?.includes(asn) ?? false);
  const isEnd = endsWith.every((asn, i) => isAt(places[places.length - endsWith.length + i], asn));
  return (
    beginsWith.every((asn, i) => isAt(places[i], asn)) &&
    isEnd &&
    within.every((asn) => places.flat().includes(asn)) &&
    places.length >= (asPath.minLength ?? 0) &&
    places.length <= (asPath.maxLength ?? 1e9) &&
    (communities.allOf ?? []).every((value) => route.communities.includes(value)) &&
    (communities.anyOf?.some((value) => route.communities.includes(value)) ?? true)
  );
}

function holdsPrefix(match: PrefixMatch, prefix: Prefix): boolean {
  if (familyOf(match.prefix) !== familyOf(prefix)) return false;
  const length = prefixLength(prefix);
  const fits = length >= (match.minLength ?? 0) && length <= (match.maxLength ?? 128);
  switch (match.operator) {
    case 'equal':
      return fits && match.prefix === prefix;
    case 'notEqual':
      return !(fits && match.prefix === prefix);
    case 'in':
      return fits && contains(match.prefix, prefix);
    case 'notIn':
      return !(fits && contains(match.prefix, prefix));
  }
}

function change(route: NaiveRoute, changes: RouteChanges): NaiveRoute {
  const { set, remove = [], add = [] } = changes.communities ?? {};
  const kept = (set ?? route.communities).filter((value) => !remove.includes(value));
  const med = changes.med ?? route.med;
  return {
    ...route,
    asPath: [...(changes.prepend ?? []), ...route.asPath],
    med: med === 'remove' ? undefined : med,
    localPref: changes.localPref ?? route.localPref,
    ...bandwidthAfter(changes),
    communities: [...new Set([...kept, ...add])],
  };
}

function bandwidthAfter({ linkBandwidth }: RouteChanges): Partial<NaiveRoute> {
  if (linkBandwidth === undefined) return {};
  const isSet = linkBandwidth !== 'remove';
  return { linkBandwidth: isSet ? linkBandwidth : undefined, saysBandwidth: isSet };
}

/** The attribute set of a route, written without the production encoder. */
export function attributeOctets(route: NaiveRoute): Uint8Array {
  const standard = route.communities.filter((value) => value.split(':').length === 2);
  const large = route.communities.filter((value) => value.split(':').length === 3);
  return Uint8Array.from([
    ...attribute(0x40, 1, [0]),
    ...attribute(0x40, 2, segments(route.asPath)),
    ...(route.med === undefined ? [] : attribute(0x80, 4, u32(route.med))),
    ...(route.localPref === undefined ? [] : attribute(0x40, 5, u32(route.localPref))),
    ...list(
      0xc0,
      8,
      standard.flatMap((value) => value.split(':').flatMap((n) => u16(Number(n)))),
    ),
    ...list(0xc0, 16, [0, 2, 0, 1, 0, 0, 0, 9, ...bandwidthOctets(route)]),
    ...list(
      0xc0,
      32,
      large.flatMap((value) => value.split(':').flatMap((n) => u32(Number(n)))),
    ),
  ]);
}

/** What an attribute set says, as the production decoder for people reads it. */
export function readAttributes(octets: Uint8Array) {
  const field = { bytes: octets, from: 0, to: octets.length };
  const context = { fourOctetAs: true, ebgp: false, families: [] };
  const described = describeAttributes(field, context);
  const value = (name: string) => described.find((each) => each.name === name)?.value;
  const path = (value('AS_PATH') ?? []) as { type: string; asns: number[] }[];
  return {
    codes: described.map(({ code }) => code),
    asPath: path.flatMap(({ type, asns }): Place[] => (type === 'set' ? [asns] : asns)),
    med: value('MULTI_EXIT_DISC'),
    localPref: value('LOCAL_PREF'),
    communities: [
      ...((value('COMMUNITIES') ?? []) as string[]),
      ...((value('LARGE_COMMUNITIES') ?? []) as string[]),
    ],
    extended: value('EXTENDED_COMMUNITIES'),
  };
}

export function factsOf(route: NaiveRoute, octets = attributeOctets(route)): RouteFacts {
  // Not at the front of the array: an offset that is forgotten shows.
  const bytes = Uint8Array.from([0xee, 0xee, 0xee, ...octets, 0xee]);
  const { isEbgp, isLearned, nextHop } = route;
  const facts = { bytes, offset: 3, length: octets.length, isEbgp, isLearned, nextHop };
  return { ...facts, interface: route.interface };
}

/** A prefix as the engine hands it to a policy. */
export function prefixArgument(prefix: Prefix): [words: Int32Array, at: number, length: number] {
  const { family, octets, length } = prefixBytes(prefix);
  const list = new NlriList(2);
  list.readOne(family, octets, length);
  const words = Int32Array.from([-1, ...list.words.subarray(0, list.wordsEach)]);
  return [words, 1, length];
}

export function naiveRoute(prefix: string, rest: Partial<NaiveRoute> = {}): NaiveRoute {
  return {
    prefix: parsePrefix(prefix),
    asPath: [65_001],
    communities: [],
    isEbgp: true,
    isLearned: true,
    nextHop: parseAddress('10.0.1.1'),
    interface: 'eth0',
    ...rest,
  };
}

/** AS numbers of tests. */
export function asns(...numbers: number[]): Asn[] {
  return numbers.map((number) => number as Asn);
}

export const FAMILIES: readonly Family[] = ['ipv4', 'ipv6'];

function bandwidthOctets({ linkBandwidth, saysBandwidth }: NaiveRoute): number[] {
  if (linkBandwidth === undefined) return [];
  const octets = new Uint8Array(Float32Array.of(linkBandwidth / 8).buffer).toReversed();
  return [...(saysBandwidth ? [0, 4, 0, 0] : [0x40, 4, 0, 1]), ...octets];
}

function segments(places: readonly Place[]): number[] {
  const octets: number[] = [];
  let run: number[] = [];
  const flush = () => {
    if (run.length > 0) octets.push(2, run.length, ...run.flatMap(u32));
    run = [];
  };
  for (const place of places) {
    if (typeof place === 'number') {
      run.push(place);
      if (run.length === 255) flush();
    } else {
      flush();
      octets.push(1, place.length, ...place.flatMap(u32));
    }
  }
  flush();
  return octets;
}

function list(flags: number, code: number, value: readonly number[]): number[] {
  return value.length === 0 ? [] : attribute(flags, code, value);
}

function attribute(flags: number, code: number, value: readonly number[]): number[] {
  return value.length > 255
    ? [flags | 0x10, code, ...u16(value.length), ...value]
    : [flags, code, value.length, ...value];
}

function u16(value: number): number[] {
  return [value >>> 8, value & 0xff];
}

function u32(value: number): number[] {
  return [...u16(value >>> 16), ...u16(value & 0xffff)];
}
