import { parseAsn, parsePrefix } from '@overland/net';
import type { PeerConfig, RouteFilter, SpeakerConfig } from '../src/core/index.ts';
import type { NaiveAttributes } from './naive-rib.ts';

/** A policy as configuration, and as the test reads it: `undefined` refuses. */
export interface NaivePolicy {
  readonly filters: readonly string[];
  readonly importSafety?: NonNullable<PeerConfig['importSafety']>;
  readonly apply: (prefix: string, attributes: NaiveAttributes) => NaiveAttributes | undefined;
}

const asn = parseAsn(65009);
const TAG = 65_000 * 65_536 + 7;

/** For both families: the long prefixes are 10.1.0.128/25 and fd00:1:0:0:8000::/66, and the hosts. */
export const FILTERS: readonly RouteFilter[] = [
  {
    name: 'no-long',
    rules: [
      { match: { prefix: longWithin('10.0.0.0/8', 25) }, action: 'reject' },
      { match: { prefix: longWithin('fd00::/16', 66) }, action: 'reject' },
    ],
  },
  {
    name: 'not-from-65002',
    rules: [{ match: { asPath: { beginsWith: [parseAsn(65002)] } }, action: 'reject' }],
  },
  {
    name: 'prefer-24',
    rules: (['10.1.0.0/24', 'fd00:1::/64'] as const).map((prefix) => ({
      match: { prefix: { prefix: parsePrefix(prefix), operator: 'equal' } },
      action: 'accept',
      set: { localPref: 300 },
    })),
  },
  {
    name: 'tag',
    rules: [
      {
        match: { communities: { anyOf: ['65000:1'] } },
        action: 'continue',
        set: { communities: { set: [] } },
      },
      {
        match: { asPath: { maxLength: 1 } },
        action: 'accept',
        set: { prepend: [asn, asn], med: 3, communities: { add: ['65000:7'] } },
      },
    ],
  },
  { name: 'nothing', rules: [{ action: 'reject' }] },
];

const noLong: NaivePolicy['apply'] = (prefix, attributes) =>
  lengthOf(prefix) >= (prefix.includes(':') ? 66 : 25) ? undefined : attributes;

export const POLICIES: readonly NaivePolicy[] = [
  { filters: [], apply: (_, attributes) => attributes },
  { filters: ['no-long'], apply: noLong },
  {
    filters: ['not-from-65002'],
    apply: (_, attributes) => (attributes.asPath[0] === 65002 ? undefined : attributes),
  },
  {
    filters: ['prefer-24', 'no-long'],
    apply: (prefix, attributes) =>
      ['10.1.0.0/24', 'fd00:1::/64'].includes(prefix)
        ? { ...attributes, localPref: 300 }
        : noLong(prefix, attributes),
  },
  { filters: ['tag'], apply: (_, attributes) => tagged(attributes) },
  { filters: ['nothing'], apply: () => undefined },
];

/** The built-in checks, with {@link CLUSTER}; the host prefixes are outside of its pools. */
export const SAFE: NaivePolicy = {
  filters: [],
  importSafety: { defaultRoute: false, isNode: false },
  apply: (prefix, attributes) =>
    lengthOf(prefix) === 0 ? undefined : noLongInPool(prefix, attributes),
};

export const CLUSTER: NonNullable<SpeakerConfig['importSafety']> = {
  pools: [
    { prefix: parsePrefix('10.1.0.0/16'), blockLength: 24, takesHosts: false },
    { prefix: parsePrefix('fd00:1::/48'), blockLength: 64, takesHosts: false },
  ],
  lent: [],
};

const noLongInPool: NaivePolicy['apply'] = (prefix, attributes) =>
  ['10.1.0.128/25', 'fd00:1:0:0:8000::/66'].includes(prefix) ? undefined : attributes;

function tagged(attributes: NaiveAttributes): NaiveAttributes {
  const communities = attributes.communities?.includes(65_000 * 65_536 + 1)
    ? []
    : (attributes.communities ?? []);
  if (attributes.asPath.length > 1) return { ...attributes, communities };
  return {
    ...attributes,
    asPath: [asn, asn, ...attributes.asPath],
    med: 3,
    communities: [...communities, TAG],
  };
}

function lengthOf(prefix: string): number {
  return Number(prefix.split('/')[1]);
}

function longWithin(prefix: string, minLength: number) {
  return { prefix: parsePrefix(prefix), operator: 'in', minLength } as const;
}
