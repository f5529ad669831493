import { z } from 'zod';
import { community } from '../community.ts';
import type { Rule } from '../kind.ts';
import { cidr, duration, extension, ipAddress, pattern } from '../scalars.ts';
import { isWithin, isZeroOrWithin } from './duration-bounds.ts';

// What BGPConfiguration has in Overland and Calico lacks. All optional; docs/extensions.md is generated from here. What the object of a
// node says takes the place of what the default one says, field by field.

const port = z.number().int().min(1).max(65_535);

const multipath = z.object({
  maxPaths: z
    .number()
    .int()
    .min(1)
    .max(128)
    .default(64)
    .describe('Most paths of equal cost that share the load.'),
  relaxASPath: z
    .boolean()
    .default(true)
    .describe('Whether AS paths of equal length share the load, through whatever AS they lead.'),
  linkBandwidth: z
    .boolean()
    .default(false)
    .describe(
      'Whether paths share the load in proportion to their link bandwidth communities, where all of them have one.',
    ),
});

const gracefulRestart = z.object({
  notification: z
    .boolean()
    .default(false)
    .describe(
      'Whether routes of a peer stay after a NOTIFICATION and its hold time, too, if it does the same (RFC 8538).',
    ),
  stalePathTime: duration
    .default('360s')
    .describe('How long routes of a restarting peer are kept at most.'),
  deferralTime: duration
    .default('60s')
    .describe(
      'How long a restarted speaker waits at most for the routes of the peers that came up.',
    ),
  longLivedStaleTime: duration
    .optional()
    .describe(
      'How long routes of a peer that is not back in time stay as a last choice, if it wants that, too (RFC 9494). Absent: not at all.',
    ),
});

const aggregate = z.object({
  cidr: cidr.describe('The prefix.'),
  summaryOnly: z
    .boolean()
    .default(false)
    .describe('Whether peers are not sent what lies inside it, while it is there itself.'),
  communities: z.array(community).max(50).optional().describe('Communities of its route.'),
});

const cache = z.object({
  address: ipAddress.describe('Address of the cache.'),
  port: port.default(323).describe('TCP port.'),
  sourceAddress: ipAddress.optional().describe('Source address. Absent: what the route has.'),
});

const rpki = z.object({
  caches: z
    .array(cache)
    .min(1)
    .max(16)
    .describe('The caches, in order of preference: one is used at a time.'),
  refreshInterval: duration
    .optional()
    .describe('Between questions for what has changed, 1s to 24h. Absent: what the cache says.'),
  retryInterval: duration
    .optional()
    .describe('Before a cache that failed is dialled again, 1s to 2h. Absent: what it says.'),
  expireInterval: duration
    .optional()
    .describe('How long its data hold without a word of it, 10m to 48h. Absent: what it says.'),
});

const mrtUpdates = z.object({
  file: pattern('an absolute path', /^\/[^\0]{1,4095}$/).describe(
    'File on the node. When it is full it becomes FILE.1, that one FILE.2, and so on.',
  ),
  maxMegabytes: z
    .number()
    .int()
    .min(1)
    .max(16_384)
    .default(64)
    .describe('Size of one file at most, in millions of octets.'),
  files: z.number().int().min(1).max(100).default(4).describe('How many files there are at most.'),
});

const station = z.object({
  address: ipAddress.describe('Address of the station, which the node dials.'),
  port: port.default(11_019).describe('TCP port.'),
  sourceAddress: ipAddress.optional().describe('Source address. Absent: what the route has.'),
  ribs: z
    .array(z.enum(['PrePolicy', 'PostPolicy', 'LocRIB', 'OutPrePolicy', 'OutPostPolicy']))
    .min(1)
    .max(5)
    .default(['PrePolicy'])
    .describe(
      'What it is told: routes from peers before and after import rules (RFC 7854), routes as chosen (RFC 9069), routes to peers before and after export rules (RFC 8671).',
    ),
  statisticsInterval: duration
    .default('60s')
    .describe('Between Statistics Reports: 0 for none, or 1s to 24h.'),
});

/** Fields of the spec. */
export const bgpConfigurationExtensions = {
  role: extension(z.enum(['Host', 'Router'])).describe(
    'Host: nodes offer their own routes only. Router: what they learn from one eBGP peer they pass on to others. A node with a route reflector cluster id is a reflector whatever this says. Absent: Host.',
  ),
  clientToClientReflection: extension(z.enum(['Enabled', 'Disabled'])).describe(
    'Whether clients of a route reflector hear of each other through it; Disabled where they are fully meshed. Absent: Enabled.',
  ),
  multipath: extension(multipath).describe('Which paths share the load.'),
  gracefulRestart: extension(gracefulRestart).describe(
    'What becomes of the routes of peers that are away. The restart time is that of the sessions.',
  ),
  aggregates: extension(z.array(aggregate).max(128)).describe(
    'Prefixes that are offered as long as there is a route inside them; the node drops what has no longer route.',
  ),
  rpki: extension(rpki).describe(
    'Caches of validated route origins (RFC 8210), for originValidation of BGPFilters.',
  ),
  mrtUpdates: extension(mrtUpdates).describe(
    'Where UPDATEs of peers are recorded as they come, as MRT (RFC 6396).',
  ),
  bmpStations: extension(z.array(station).max(16)).describe(
    'Stations that are told what is in the RIBs of the nodes (BMP).',
  ),
};

const fields = z.object(bgpConfigurationExtensions);
type Spec = z.infer<typeof fields>;

/** Bounds of durations: field of `spec.gracefulRestart` or `spec.rpki`, fewest and most seconds. */
const BOUNDS = {
  gracefulRestart: [
    ['stalePathTime', 1, 65_535],
    ['deferralTime', 1, 3600],
    ['longLivedStaleTime', 1, 0xff_ffff],
  ],
  rpki: [
    ['refreshInterval', 1, 86_400],
    ['retryInterval', 1, 7200],
    ['expireInterval', 600, 172_800],
  ],
} as const;

function boundRules(): Rule<{ readonly spec: Spec }>[] {
  return (['gracefulRestart', 'rpki'] as const).flatMap((group) =>
    BOUNDS[group].map(([field, fewest, most]) => ({
      path: `spec.${group}.${field}`,
      rule: `must be ${fewest}s to ${most}s`,
      check: ({ spec }: { readonly spec: Spec }) => {
        const value = (spec[group] as Readonly<Record<string, unknown>> | undefined)?.[field];
        return typeof value !== 'string' || isWithin(value, fewest, most);
      },
    })),
  );
}

/** Places of what occurred before, in a list. */
function repeated(keys: readonly string[]): number[] {
  return keys.flatMap((key, i) => (keys.indexOf(key) < i ? [i] : []));
}

/** Rules between those fields. */
export const bgpConfigurationRules: readonly Rule<{ readonly spec: Spec }>[] = [
  ...boundRules(),
  {
    path: 'spec.aggregates',
    rule: 'must have each cidr once',
    check: ({ spec }) =>
      repeated((spec.aggregates ?? []).map((one) => one.cidr)).map(
        (i) => `spec.aggregates[${i}].cidr`,
      ),
  },
  {
    path: 'spec.rpki.caches',
    rule: 'must have each address and port once',
    check: ({ spec }) =>
      repeated((spec.rpki?.caches ?? []).map((one) => `${one.address} ${one.port}`)).map(
        (i) => `spec.rpki.caches[${i}]`,
      ),
  },
  {
    path: 'spec.bmpStations',
    rule: 'must have each address and port once',
    check: ({ spec }) =>
      repeated((spec.bmpStations ?? []).map((one) => `${one.address} ${one.port}`)).map(
        (i) => `spec.bmpStations[${i}]`,
      ),
  },
  {
    path: 'spec.bmpStations[*].ribs',
    rule: 'must name each RIB once',
    check: ({ spec }) =>
      (spec.bmpStations ?? []).flatMap(({ ribs }, i) =>
        repeated(ribs).map((at) => `spec.bmpStations[${i}].ribs[${at}]`),
      ),
  },
  {
    path: 'spec.bmpStations[*].statisticsInterval',
    rule: 'must be 0, or 1s to 24h',
    check: ({ spec }) =>
      (spec.bmpStations ?? []).flatMap(({ statisticsInterval }, i) =>
        isZeroOrWithin(statisticsInterval, 1, 86_400)
          ? []
          : [`spec.bmpStations[${i}].statisticsInterval`],
      ),
  },
];
