import { ADDRESS_BITS, type Family, familyOf } from '@overland/net';
import { z } from 'zod';
import type { PeerConfig } from '../core/config.ts';
import { compileFilters } from '../core/policy/compile-filters.ts';
import type { FilterRule, RouteFilter } from '../core/policy/route-filter.ts';
import { parseCommunity } from '../core/wire/communities.ts';
import { address, asn, prefix, whole, withoutUndefined } from './file-values.ts';

/** More than any link: a tenth of what is exact in the arithmetic. */
const MAX_BITS_PER_SECOND = 1e15;
const FAMILIES: readonly Family[] = ['ipv4', 'ipv6'];

const u32 = whole(0, 0xffff_ffff);
const length = whole(0, 128);
const asns = z.array(asn).min(1);

/** `aa:nn`, `aa:nn:mm`, or a well-known name. */
export const community = z.string().refine((text) => parseCommunity(text) !== undefined, {
  error: (issue) =>
    `${JSON.stringify(issue.input)} is no community: aa:nn, aa:nn:mm, or a well-known name such as no-export`,
});

/** The longest length that a range names, bits. */
function longest(range: { minLength?: number | undefined; maxLength?: number | undefined }) {
  return range.maxLength ?? range.minLength ?? 0;
}

const prefixMatch = z
  .strictObject({
    prefix,
    operator: z.enum(['equal', 'notEqual', 'in', 'notIn']).default('in'),
    minLength: length.optional(),
    maxLength: length.optional(),
  })
  .refine(({ minLength = 0, maxLength = 128 }) => minLength <= maxLength, {
    path: ['minLength'],
    error: 'must not be above maxLength',
  })
  .refine((range) => longest(range) <= ADDRESS_BITS[familyOf(range.prefix)], {
    path: ['maxLength'],
    error: 'must not be longer than an address of the prefix',
  })
  .transform(withoutUndefined);

const match = z
  .strictObject({
    prefix: prefixMatch.optional(),
    isLearned: z.boolean().optional(),
    interface: z.string().min(1).optional(),
    peerType: z.enum(['ebgp', 'ibgp']).optional(),
    communities: z
      .strictObject({
        anyOf: z.array(community).min(1).optional(),
        allOf: z.array(community).min(1).optional(),
      })
      .transform(withoutUndefined)
      .optional(),
    asPath: z
      .strictObject({
        beginsWith: asns.optional(),
        endsWith: asns.optional(),
        contains: asns.optional(),
        minLength: whole(0, 16_383).optional(),
        maxLength: whole(0, 16_383).optional(),
      })
      .transform(withoutUndefined)
      .optional(),
    nextHops: z.array(address).min(1).optional(),
    localPrefs: z.array(u32).min(1).optional(),
    med: u32.optional(),
    /** RFC 6811; caches are in `rpki` of the file. */
    rpki: z.enum(['valid', 'invalid', 'not-found']).optional(),
  })
  .transform(withoutUndefined);

const isSpecified = (value: string): boolean => value !== '0.0.0.0' && value !== '::';

const changes = z
  .strictObject({
    communities: z
      .strictObject({
        set: z.array(community).optional(),
        remove: z.array(community).min(1).optional(),
        add: z.array(community).min(1).optional(),
      })
      .transform(withoutUndefined)
      .optional(),
    prepend: z.array(asn).min(1).max(32).optional(),
    localPref: u32.optional(),
    med: z.union([u32, z.literal('remove')]).optional(),
    /** Bits per second. */
    linkBandwidth: z.union([whole(1, MAX_BITS_PER_SECOND), z.literal('remove')]).optional(),
    nextHop: z
      .union([
        z.literal('self'),
        address.refine(isSpecified, 'must not be the unspecified address'),
      ])
      .optional(),
  })
  .transform(withoutUndefined);

const rule = z
  .strictObject({
    name: z.string().min(1).optional(),
    family: z.enum(['ipv4', 'ipv6']).optional(),
    match: match.optional(),
    action: z.enum(['accept', 'reject', 'continue']),
    set: changes.optional(),
  })
  .refine((each) => each.action !== 'reject' || each.set === undefined, {
    path: ['set'],
    error: 'must not be there with action reject: a rejected route is not changed',
  })
  .refine(
    ({ family, match: { prefix: condition } = {} }) =>
      family === undefined || !condition || familyOf(condition.prefix) === family,
    { path: ['match', 'prefix'], error: 'must be of the family of the rule' },
  )
  .refine(
    ({ family, match: { prefix: condition } = {}, set: { nextHop } = {} }) =>
      nextHop === undefined ||
      nextHop === 'self' ||
      familyOf(nextHop) === 'ipv6' ||
      (family ?? (condition && familyOf(condition.prefix))) === 'ipv4',
    {
      path: ['set', 'nextHop'],
      error: 'must not be an IPv4 address, unless the rule has family ipv4',
    },
  )
  .transform((each): FilterRule => withoutUndefined(each));

/** `filters` of a speaker file: a {@link RouteFilter} as it is in the configuration; `operator` may be left out. */
export const filterSchema = z.strictObject({ name: z.string().min(1), rules: z.array(rule) });

/** What is wrong with filters beyond their own fields, and with what peers name; with its path. */
export function filterFaults(
  filters: readonly RouteFilter[],
  users: readonly {
    /** Such as `peers[0]`. */
    readonly path: string;
    readonly config: Pick<PeerConfig, 'importFilters' | 'exportFilters'>;
  }[],
): string[] {
  const names = filters.map(({ name }) => name);
  const twice = names.flatMap((name, i) =>
    names.indexOf(name) < i
      ? [`filters[${i}].name: "${name}" is the name of filters[${names.indexOf(name)}]`]
      : [],
  );
  const faults = [...twice, ...filters.flatMap(ruleFaults)];
  for (const { path, config } of users) {
    const { importFilters = [], exportFilters = [] } = config;
    faults.push(...listFaults(filters, importFilters, `${path}.import`));
    faults.push(...selfFaults(filters, importFilters, `${path}.import`));
    faults.push(...listFaults(filters, exportFilters, `${path}.export`));
  }
  return faults;
}

function ruleFaults({ rules }: RouteFilter, index: number): string[] {
  const names = rules.map(({ name }) => name);
  return names.flatMap((name, i) => {
    const first = name === undefined ? i : names.indexOf(name);
    const path = `filters[${index}].rules`;
    return first < i ? [`${path}[${i}].name: "${name}" is the name of rules[${first}]`] : [];
  });
}

/** Our own address leads nowhere from here. */
function selfFaults(
  filters: readonly RouteFilter[],
  names: readonly string[],
  path: string,
): string[] {
  return names.flatMap((name, i) => {
    const rules = filters.find((filter) => filter.name === name)?.rules ?? [];
    const at = rules.findIndex(({ set }) => set?.nextHop === 'self');
    return at < 0
      ? []
      : [`${path}[${i}]: rules[${at}] of "${name}" sets nextHop self, which is for export only`];
  });
}

function listFaults(
  filters: readonly RouteFilter[],
  names: readonly string[],
  path: string,
): string[] {
  const unknown = names.flatMap((name, i) =>
    filters.some((filter) => filter.name === name)
      ? []
      : [`${path}[${i}]: there is no filter "${name}"`],
  );
  if (unknown.length > 0) return unknown;
  const listed = names.flatMap((name) => filters.filter((filter) => filter.name === name));
  try {
    for (const family of FAMILIES) compileFilters(listed, family);
    return [];
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return [`${path}: ${error.message}`];
  }
}
