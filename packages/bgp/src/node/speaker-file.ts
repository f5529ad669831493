import { MAX_MD5_KEY_OCTETS } from '@overland/linux';
import { familyOf, parseAddress } from '@overland/net';
import { parseDocument } from 'yaml';
import { z } from 'zod';
import {
  MAX_BEST_PATHS,
  type MrtUpdatesConfig,
  type PeerConfig,
  type SpeakerConfig,
} from '../core/config.ts';
import { isExternal } from '../core/session/remote-as.ts';
import { placeOf } from '../core/session/unnumbered.ts';
import { MAX_STALE_SECONDS } from '../core/wire/long-lived-restart.ts';
import { bfdSchema } from './bfd/bfd-schema.ts';
import { bmpSchema } from './bmp/bmp-schema.ts';
import {
  address,
  asn,
  type GivenAs,
  interfaceName,
  prefix,
  remoteAs,
  whole,
  withoutUndefined,
} from './file-values.ts';
import { community, filterSchema } from './filters-schema.ts';
import { clusterSafetySchema, peerSafetyOf, peerSafetySchema } from './import-safety-schema.ts';
import { groupFaults, overlay } from './peer-groups.ts';
import { givesPlace, placeFields, placeFrom } from './peer-place.ts';
import { rpkiSchema } from './rpki/rpki-schema.ts';
import { clashesIn } from './speaker-file-clashes.ts';
import { staticSchema } from './static-schema.ts';

/** A speaker file is wrong. Every fault is told at once, one a line. */
export class SpeakerFileError extends Error {
  override readonly name = 'SpeakerFileError';
  /** `peers[0].asn: 0 is not a valid AS number: expected …`, or `line 3, column 5: …`. */
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(faults.join('\n'));
    this.faults = faults;
  }
}

const port = whole(1, 65_535);
const seconds = whole(1, 65_535);

const holdSeconds = whole(0, 65_535).refine((value) => value === 0 || value >= 3, {
  error: (issue) => `${JSON.stringify(issue.input)} is not allowed: 0 (none) or 3 to 65535`,
});

const identifier = address.refine((value) => familyOf(value) === 'ipv4' && value !== '0.0.0.0', {
  error: 'must be written as an IPv4 address other than 0.0.0.0',
});

/** Two fields that say the same thing in two ways. */
const exclusive = <F extends string>(field: F, other: F) =>
  z.refine<Partial<Record<F, unknown>>>(
    (value) => value[field] === undefined || value[other] === undefined,
    { path: [field], error: `must not be set together with ${other}` },
  );

/** Told along with what else is wrong with the peer; whether its group has one is seen later. */
const givesAsn = z.refine<{ readonly asn?: unknown; readonly group?: unknown }>(
  (value) => value.asn !== undefined || value.group !== undefined,
  { path: ['asn'], error: 'missing', when: () => true },
);

/** Names of filters, in order. */
const filterNames = z.array(z.string().min(1)).optional();

/** Which paths of a prefix are sent. */
const addPathSend = z.union([
  z.enum(['all', 'multipath'], {
    error: ({ input }) =>
      `${JSON.stringify(input)} is not allowed: all, multipath or { best: 1 to ${MAX_BEST_PATHS} }`,
  }),
  z.strictObject({ best: whole(1, MAX_BEST_PATHS) }),
]);

/** Known so that whoever asks for it learns why: a field that is only unknown reads like a slip of the pen. Decision 0306. */
const tcpAo = z
  .never({
    error:
      'TCP-AO (RFC 5925) is not offered: it takes a kernel that is built with CONFIG_TCP_AO (Linux 6.7 or later), and this version has been tried on none; use password or passwordFile (TCP-MD5), with ttlSecurity',
  })
  .optional();

/** What a peer may be told, and `defaults` for all peers. */
const peerSettings = {
  port: port.optional(),
  localAsn: asn.optional(),
  /** Whether the speaker's own number stays visible behind it, and it is put in front of what comes, too. */
  localAsMode: z.enum(['prepend', 'no-prepend', 'replace']).optional(),
  families: z
    .array(z.enum(['ipv4', 'ipv6']))
    .min(1)
    .optional(),
  holdSeconds: holdSeconds.optional(),
  keepaliveSeconds: whole(0, 21_845).optional(),
  minHoldSeconds: seconds.optional(),
  connectRetrySeconds: seconds.optional(),
  passive: z.boolean().optional(),
  allowAsIn: whole(0, 10).optional(),
  asOverride: z.boolean().optional(),
  defaultOriginate: z.boolean().optional(),
  /** RFC 8326: the session's routes are the last choice on both sides. */
  gracefulShutdown: z.boolean().optional(),
  removePrivateAs: z.enum(['remove', 'all', 'replace']).optional(),
  enforceFirstAs: z.boolean().optional(),
  allowAsSets: z.boolean().optional(),
  /** RFC 4456; iBGP peers only. */
  routeReflectorClient: z.boolean().optional(),
  nextHop: z.enum(['auto', 'self', 'force', 'keep']).optional(),
  /** RFC 8950: IPv4 routes with IPv6 next hops. */
  extendedNextHop: z.boolean().optional(),
  /** How a link-local next hop is written. */
  linkLocalNextHop: z.enum(['native', 'single', 'double']).optional(),
  /** Messages of up to 65,535 octets, RFC 8654. */
  extendedMessages: z.boolean().optional(),
  /** Interface that the session stays on. */
  bindInterface: interfaceName.optional(),
  ttl: whole(1, 255).optional(),
  /** Most hops to the peer, itself counted: GTSM, RFC 5082. Packets that have come further are dropped. */
  ttlSecurity: whole(1, 254).optional(),
  /** Filters for routes from the peer, and for those to it. */
  import: filterNames,
  export: filterNames,
  importSafety: peerSafetySchema,
  /** Key of TCP-MD5, RFC 2385. */
  password: z.string().min(1).max(MAX_MD5_KEY_OCTETS).optional(),
  /** A file that holds the key, and nothing else but a line feed. */
  passwordFile: z.string().min(1).optional(),
  tcpAo,
  /** Our role towards the peer, RFC 9234. */
  role: z.enum(['provider', 'customer', 'peer', 'rs', 'rs-client']).optional(),
  strictRole: z.boolean().optional(),
  bfd: bfdSchema.optional(),
  /** RFC 7911: several paths of a prefix, of every family of the session. */
  addPath: z
    .strictObject({ receive: z.boolean().default(false), send: addPathSend.optional() })
    .transform((addPath) => withoutUndefined(addPath))
    .optional(),
  /** Most prefixes to the peer. */
  maxAdvertised: z
    .strictObject({
      ipv4: whole(1, 0xffff_ffff).optional(),
      ipv6: whole(1, 0xffff_ffff).optional(),
    })
    .transform((most) => withoutUndefined(most))
    .optional(),
  maxPrefixes: z
    .strictObject({
      ipv4: whole(0, 0xffff_ffff).optional(),
      ipv6: whole(0, 0xffff_ffff).optional(),
      warningPercent: whole(1, 100).default(75),
      action: z.enum(['warn', 'stop', 'restart']).default('stop'),
      restartSeconds: whole(1, 86_400).default(300),
    })
    .transform(({ ipv4, ipv6, ...rest }) => ({ most: withoutUndefined({ ipv4, ipv6 }), ...rest }))
    .optional(),
};

const peer = z
  .strictObject({
    ...placeFields,
    /** A number, several of them, `external` or `internal`. Absent: the group's. */
    asn: remoteAs.optional(),
    /** Settings that it shares with others: its own word wins, then the group's, then the default. */
    group: z.string().min(1).optional(),
    name: z.string().min(1).optional(),
    description: z.string().optional(),
    localAddress: address.optional(),
    ...peerSettings,
  })
  .check(
    exclusive('password', 'passwordFile'),
    exclusive('ttl', 'ttlSecurity'),
    givesAsn,
    givesPlace,
  );

const defaultSettings = z
  .strictObject(peerSettings)
  .check(exclusive('password', 'passwordFile'), exclusive('ttl', 'ttlSecurity'));

const groupSettings = z
  .strictObject({ asn: remoteAs.optional(), description: z.string().optional(), ...peerSettings })
  .check(exclusive('password', 'passwordFile'), exclusive('ttl', 'ttlSecurity'));

/** What only who dials needs. */
const {
  port: _port,
  passive: _passive,
  connectRetrySeconds: _retry,
  ...rangeSettings
} = peerSettings;

/** Peers that are not configured one by one. */
const listenRange = z
  .strictObject({
    prefix,
    /** Most peers at a time. */
    limit: whole(1, 10_000).default(100),
    asn: remoteAs.optional(),
    group: z.string().min(1).optional(),
    description: z.string().optional(),
    ...rangeSettings,
  })
  .check(exclusive('password', 'passwordFile'), exclusive('ttl', 'ttlSecurity'), givesAsn);

const listen = z.union([
  address.transform((value) => ({ address: value, port: 179 })),
  z
    .strictObject({ address, port: port.default(179), interface: interfaceName.optional() })
    .transform((at) => withoutUndefined(at)),
]);

/** Each costs a comparison per changed route. */
const MAX_AGGREGATES = 128;

const aggregate = z
  .strictObject({
    prefix,
    summaryOnly: z.boolean().default(false),
    communities: z.array(community).min(1).optional(),
  })
  .transform(withoutUndefined);

const file = z.strictObject({
  asn,
  routerId: identifier,
  role: z.enum(['router', 'reflector', 'host']).default('router'),
  clusterId: identifier.optional(),
  clientToClient: z.boolean().optional(),
  listen: z.array(listen).default([
    { address: parseAddress('0.0.0.0'), port: 179 },
    { address: parseAddress('::'), port: 179 },
  ]),
  multipath: z
    .strictObject({
      maxPaths: whole(1, 128).default(16),
      relaxAsPath: z.boolean().default(true),
      /** Shares by link bandwidth communities. */
      linkBandwidth: z.boolean().optional(),
    })
    .transform((multipath) => withoutUndefined(multipath))
    .prefault({}),
  /** Peers hear of a prefix only when the kernel has it. */
  suppressFibPending: z.boolean().optional(),
  gracefulRestart: z
    .strictObject({
      enabled: z.boolean().default(true),
      notification: z.boolean().default(false),
      restartSeconds: whole(0, 4095).default(120),
      stalePathSeconds: whole(1, 65_535).default(300),
      longLivedStaleSeconds: whole(1, MAX_STALE_SECONDS).optional(),
      deferralSeconds: whole(1, 3600).default(30),
    })
    .transform(withoutUndefined)
    .prefault({}),
  filters: z.array(filterSchema).optional(),
  importSafety: clusterSafetySchema,
  defaults: defaultSettings.prefault({}),
  groups: z.record(z.string().min(1), groupSettings).default({}),
  peers: z.array(peer).default([]),
  listenRanges: z.array(listenRange).default([]),
  originate: z.array(prefix).default([]),
  aggregates: z.array(aggregate).max(MAX_AGGREGATES).optional(),
  /** Routes of our own to somewhere else. */
  static: staticSchema.optional(),
  originateFrom: z
    .strictObject({ mrt: z.string().min(1), peer: address.optional() })
    .transform(withoutUndefined)
    .optional(),
  /** Recorded UPDATEs: where, and how much of them is kept. */
  mrtUpdates: z
    .strictObject({
      file: z.string().min(1),
      maxMegabytes: whole(1, 16_384).default(64),
      files: whole(1, 100).default(4),
    })
    .transform(
      ({ file: path, maxMegabytes, files }): MrtUpdatesConfig => ({
        file: path,
        maxOctets: maxMegabytes * 1_000_000,
        files,
      }),
    )
    .optional(),
  rpki: rpkiSchema.optional(),
  bmp: z.array(bmpSchema).max(16).optional(),
});

const DEFAULT_HOLD_SECONDS = 9;
/** Its link has no other addresses: decision 0156. */
const UNNUMBERED = { families: ['ipv4', 'ipv6'], extendedNextHop: true } as const;
/** What a peer with GTSM sends, before the first hop. */
const GTSM_TTL = 255;

/**
 * Reads a speaker file.
 *
 * @param text YAML.
 * @throws {SpeakerFileError} With every fault: YAML with line and column, values with their path.
 */
export function parseSpeakerFile(text: string): SpeakerConfig {
  const document = parseDocument(text, { prettyErrors: false });
  const broken = document.errors.map(({ linePos, message, pos }) => {
    const [line, column] = linePos ? [linePos[0].line, linePos[0].col] : position(text, pos[0]);
    return `line ${line}, column ${column}: ${message}`;
  });
  if (broken.length > 0) throw new SpeakerFileError(broken);
  const result = file.safeParse(document.toJS(), { reportInput: true });
  if (!result.success) throw new SpeakerFileError(result.error.issues.flatMap(describe));
  const { groups, peers, listenRanges } = result.data;
  const unresolved = [
    ...groupFaults(groups, 'peers', peers),
    ...groupFaults(groups, 'listenRanges', listenRanges),
  ];
  if (unresolved.length > 0) throw new SpeakerFileError(unresolved);
  const config = toConfig(result.data);
  const clashes = clashesIn(config);
  if (clashes.length > 0) throw new SpeakerFileError(clashes);
  return config;
}

type File = z.output<typeof file>;

function toConfig(given: File): SpeakerConfig {
  const { defaults, groups, peers, listenRanges, ...rest } = given;
  return {
    ...withoutUndefined(rest),
    peers: peers.map(({ address, interface: device, name, localAddress, ...own }) => {
      const place = placeFrom({ address, interface: device });
      const settings = settingsOf(own, given, place.unnumbered ? UNNUMBERED : familyOnly(place));
      const config = withoutUndefined({ ...settings, ...place, name: name ?? '', localAddress });
      return { ...config, name: name ?? placeOf(config) };
    }),
    ...(listenRanges.length > 0 && {
      listenRanges: listenRanges.map(({ prefix: from, limit, ...own }) => ({
        prefix: from,
        limit,
        peer: settingsOf({ ...own, passive: true }, given, { families: [familyOf(from)] }),
      })),
    }),
  };
}

const familyOnly = ({ address: at }: Pick<PeerConfig, 'address'>) => ({ families: [familyOf(at)] });

type Settings = { readonly [K in keyof typeof peerSettings]?: z.output<(typeof peerSettings)[K]> };

/** What a peer is told: its own word, that of its group, of `defaults`, or the default. */
function settingsOf(
  {
    group,
    ...own
  }: Settings & {
    readonly group?: string | undefined;
    readonly asn?: GivenAs | undefined;
    readonly description?: string | undefined;
  },
  { asn: speakerAsn, role, defaults, groups }: File,
  usual: Pick<PeerConfig, 'families' | 'extendedNextHop'>,
): Omit<PeerConfig, 'name' | 'address'> {
  const shared = overlay(defaults, group === undefined ? {} : (groups[group] ?? {}));
  const {
    password,
    passwordFile,
    ttlSecurity,
    asn: givenAs,
    localAsMode,
    import: importFilters,
    export: exportFilters,
    ...rest
  } = overlay(shared, own);
  if (givenAs === undefined) throw new Error('a peer without AS number');
  const localAsn = rest.localAsn ?? speakerAsn;
  const remote = givenAs === 'internal' ? localAsn : givenAs;
  const hold = rest.holdSeconds ?? DEFAULT_HOLD_SECONDS;
  return withoutUndefined({
    ...rest,
    asn: remote,
    localAsMode: localAsMode === 'replace' ? undefined : localAsMode,
    families: rest.families ?? usual.families,
    extendedNextHop: rest.extendedNextHop ?? usual.extendedNextHop,
    port: rest.port ?? 179,
    holdSeconds: hold,
    keepaliveSeconds: rest.keepaliveSeconds ?? Math.floor(hold / 3),
    connectRetrySeconds: rest.connectRetrySeconds ?? 5,
    passive: rest.passive ?? false,
    allowAsIn: rest.allowAsIn ?? 0,
    asOverride: rest.asOverride ?? false,
    nextHop: rest.nextHop ?? 'auto',
    ttl:
      ttlSecurity === undefined ? (rest.ttl ?? (isExternal(remote, localAsn) ? 1 : 64)) : GTSM_TTL,
    minTtl: ttlSecurity === undefined ? undefined : GTSM_TTL + 1 - ttlSecurity,
    password: passwordOf(password, passwordFile),
    importFilters,
    exportFilters,
    importSafety: peerSafetyOf(rest.importSafety, role),
  });
}

function passwordOf(value: string | undefined, file: string | undefined): PeerConfig['password'] {
  if (value !== undefined) return { value };
  return file === undefined ? undefined : { file };
}

/** One line per fault, each with its path: `peers[0].holdTime: unknown field`. */
function describe(issue: z.core.$ZodIssue): string[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => `${pathText([...issue.path, key])}: unknown field`);
  }
  if (issue.code === 'invalid_union') {
    // Of the forms a value may have, tell what is wrong with the one that it comes closest to.
    const deepest = issue.errors.toSorted((a, b) => depth(b) - depth(a))[0] ?? [];
    const nested = deepest.map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] }));
    return nested.flatMap(describe);
  }
  const isMissing = issue.code === 'invalid_type' && issue.input === undefined;
  return [`${pathText(issue.path)}: ${isMissing ? 'missing' : issue.message}`];
}

function depth(issues: readonly z.core.$ZodIssue[]): number {
  return Math.max(0, ...issues.map(({ path }) => path.length));
}

function pathText(path: readonly PropertyKey[]): string {
  const text = path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
    .join('');
  return text.replace(/^\./, '') || 'the file';
}

function position(text: string, offset: number): [line: number, column: number] {
  const before = text.slice(0, offset).split('\n');
  return [before.length, (before.at(-1)?.length ?? 0) + 1];
}
