import { type Family, type Prefix, parseAddress, parsePrefix } from '@overland/net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  asns,
  attributeOctets,
  FAMILIES,
  factsOf,
  type NaiveRoute,
  naiveVerdict,
  prefixArgument,
  readAttributes,
} from '../../../test/naive-policy.ts';
import { MAX_ATTRIBUTE_OCTETS } from '../rib/attribute-table.ts';
import { applyEdits } from './apply-edits.ts';
import { compileFilters } from './compile-filters.ts';
import type { CompiledPolicy, Verdict } from './compiled-policy.ts';
import type { FilterRule, RouteChanges, RouteFilter, RouteMatch } from './route-filter.ts';

const PREFIXES: Readonly<Record<Family, readonly Prefix[]>> = {
  ipv4: [
    '0.0.0.0/0',
    '10.0.0.0/8',
    '10.1.0.0/16',
    '10.1.2.0/24',
    '10.1.2.3/32',
    '192.0.2.0/24',
  ].map(parsePrefix),
  ipv6: ['::/0', 'fd00::/8', 'fd00:1::/40', 'fd00:1::/64', 'fd00:1::1/128', '2001:db8::/48'].map(
    parsePrefix,
  ),
};
const COMMUNITIES = ['65000:1', '65000:2', '65535:65281', '4200000000:1:2', '65000:1:2'];
const HOPS = ['10.0.1.1', '10.0.2.1', 'fd00::1'].map((text) => parseAddress(text));

const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const anyPrefix = fc.constantFrom(...PREFIXES.ipv4, ...PREFIXES.ipv6);
const asn = fc.constantFrom(...asns(65_001, 65_002, 4_200_000_000));
const someAsns = fc.array(asn, { maxLength: 2 });
const someCommunities = fc.uniqueArray(fc.constantFrom(...COMMUNITIES), { maxLength: 3 });
const localPref = fc.constantFrom(0, 100, 4_294_967_295);

/** Leaves out what is `undefined`, as a configuration does. */
function defined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}

const prefixMatch = fc
  .record({
    prefix: anyPrefix,
    operator: fc.constantFrom(
      'equal' as const,
      'notEqual' as const,
      'in' as const,
      'notIn' as const,
    ),
    minLength: optional(fc.constantFrom(0, 9, 17, 32, 64)),
    maxLength: optional(fc.constantFrom(8, 16, 24, 48, 128)),
  })
  .map(defined);

const match: fc.Arbitrary<RouteMatch> = fc
  .record({
    prefix: optional(prefixMatch),
    isLearned: optional(fc.boolean()),
    interface: optional(fc.constantFrom('*', 'eth*', 'eth0', '*0', 'e*h*1', 'eth1*1')),
    peerType: optional(fc.constantFrom('ebgp' as const, 'ibgp' as const)),
    communities: optional(
      fc
        .record({ anyOf: optional(someCommunities), allOf: optional(someCommunities) })
        .map(defined),
    ),
    asPath: optional(
      fc
        .record({
          beginsWith: optional(someAsns),
          endsWith: optional(someAsns),
          contains: optional(someAsns),
          minLength: optional(fc.nat(3)),
          maxLength: optional(fc.nat(3)),
        })
        .map(defined),
    ),
    nextHops: optional(fc.array(fc.constantFrom(...HOPS), { maxLength: 2 })),
    localPrefs: optional(fc.array(localPref, { maxLength: 2 })),
    med: optional(fc.constantFrom(0, 5)),
  })
  .chain((full) =>
    // A rule with many conditions never holds: two are kept.
    fc.shuffledSubarray(Object.keys(full), { maxLength: 2 }).map((kept) => {
      const chosen = Object.entries(full).filter(([key]) => kept.includes(key));
      return defined(Object.fromEntries(chosen)) as RouteMatch;
    }),
  );

const changes: fc.Arbitrary<RouteChanges> = fc
  .record({
    communities: optional(
      fc
        .record({
          set: optional(someCommunities),
          remove: optional(someCommunities),
          add: optional(someCommunities),
        })
        .map(defined),
    ),
    prepend: optional(fc.oneof(someAsns, fc.constant(asns(...Array(254).fill(65_009))))),
    localPref: optional(localPref),
    med: optional(fc.constantFrom(0, 7, 'remove' as const)),
    linkBandwidth: optional(fc.constantFrom(8e9, 25e9, 'remove' as const)),
  })
  .map(defined);

const rule: fc.Arbitrary<FilterRule> = fc
  .record({
    name: optional(fc.constant('rule')),
    family: optional(fc.constantFrom(...FAMILIES)),
    match: optional(match),
    action: fc.constantFrom('accept' as const, 'reject' as const, 'continue' as const),
    set: optional(changes),
  })
  .map(defined);

const filters: fc.Arbitrary<RouteFilter[]> = fc
  .array(fc.array(rule, { maxLength: 5 }), { maxLength: 3 })
  .map((lists) =>
    lists.map((rules, i) => ({
      name: `filter${i}`,
      rules: rules.map((each, j) => (each.name ? { ...each, name: `rule${j}` } : each)),
    })),
  )
  .filter((each) => each.flatMap(({ rules }) => rules).length <= 10);

const attributes = fc.record({
  asPath: fc.array(fc.oneof(asn, fc.uniqueArray(asn, { minLength: 1 })), { maxLength: 4 }),
  med: optional(fc.constantFrom(0, 5)),
  localPref: optional(localPref),
  communities: someCommunities,
  linkBandwidth: optional(fc.constantFrom(1e9, 8e9)),
  isEbgp: fc.boolean(),
  isLearned: fc.boolean(),
  nextHop: optional(fc.constantFrom(...HOPS)),
  interface: optional(fc.constantFrom('eth0', 'eth1', 'eth11', 'cali0')),
});

function ask(policy: CompiledPolicy, route: NaiveRoute): Verdict {
  const answer = policy.of(factsOf(route));
  return answer.kind === 'verdict' ? answer : answer.verdict(...prefixArgument(route.prefix));
}

/** The rule that decides, as a trace tells it. */
function decider(policy: CompiledPolicy, route: NaiveRoute): string {
  const [words, at, lengthBits] = prefixArgument(route.prefix);
  const last = policy.trace(factsOf(route), words.subarray(at), lengthBits).at(-1);
  return last === undefined || last.action === 'continue' ? 'default' : last.rule;
}

/** The route as a session would take it. */
function edited(route: NaiveRoute, { edits }: Verdict) {
  const octets = attributeOctets(route);
  if (!edits) return readAttributes(octets);
  const target = new Uint8Array(MAX_ATTRIBUTE_OCTETS);
  const bytes = Uint8Array.from([0, ...octets]);
  const length = applyEdits(bytes, { offset: 1, length: octets.length }, edits, target);
  return readAttributes(target.slice(0, length));
}

for (const family of FAMILIES) {
  test(`${family}: compiled filters say what a reading of the rules one by one says`, () => {
    fc.assert(
      fc.property(filters, fc.array(attributes, { minLength: 1, maxLength: 5 }), (all, facts) => {
        const policy = compileFilters(all, family);
        const routes = facts.flatMap((each) =>
          PREFIXES[family].map((prefix): NaiveRoute => ({ ...each, prefix })),
        );
        const verdicts = routes.map((route) => ask(policy, route));
        const expected = routes.map((route) => naiveVerdict(all, route));
        expect(
          verdicts.map((verdict, i) => ({
            ...verdict,
            ...(verdict.accepted && { edits: edited(routes[i] as NaiveRoute, verdict) }),
          })),
        ).toEqual(
          expected.map(({ accepted, rule: name, route }, i) => ({
            kind: 'verdict',
            index: verdicts[i]?.index,
            accepted,
            isDefault: name === 'default',
            rule: name,
            edits: accepted ? readAttributes(attributeOctets(route)) : undefined,
          })),
        );
        expect(routes.map((route) => decider(policy, route))).toEqual(
          verdicts.map(({ rule }) => rule),
        );
        // One object for one outcome, with an index of its own.
        const distinct = new Set(verdicts);
        const outcomes = Array.from(distinct, ({ index: _, ...rest }) => JSON.stringify(rest));
        expect(new Set(outcomes).size).toBe(distinct.size);
        expect(new Set(Array.from(distinct, ({ index }) => index)).size).toBe(distinct.size);
        expect(routes.map((route) => ask(policy, route))).toEqual(verdicts);
      }),
      { numRuns: 150 },
    );
  });
}
