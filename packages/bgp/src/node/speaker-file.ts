import { MAX_MD5_KEY_OCTETS } from '@overland/linux';
import { type Family, familyOf, parseAddress } from '@overland/net';
import { parseDocument } from 'yaml';
import { z } from 'zod';
import type { PeerConfig, SpeakerConfig } from '../core/config.ts';
import { address, asn, prefix, whole, withoutUndefined } from './file-values.ts';
import { filterFaults, filterSchema } from './filters-schema.ts';
import { clusterSafetySchema, peerSafetyOf, peerSafetySchema } from './import-safety-schema.ts';
import { groupFaults, overlay } from './peer-groups.ts';

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

/** What a peer may be told, and `defaults` for all peers. */
const peerSettings = {
  port: port.optional(),
  localAsn: asn.optional(),
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
  /** Our role towards the peer, RFC 9234. */
  role: z.enum(['provider', 'customer', 'peer', 'rs', 'rs-client']).optional(),
  strictRole: z.boolean().optional(),
  /** RFC 5880 to 5883; present: on. */
  bfd: z
    .strictObject({
      transmitMs: whole(10, 60_000).optional(),
      receiveMs: whole(10, 60_000).optional(),
      detectMultiplier: whole(1, 255).optional(),
      multihop: z.boolean().optional(),
      minTtl: whole(1, 254).optional(),
      passive: z.boolean().optional(),
      strict: z.boolean().default(false),
    })
    .transform((bfd) => withoutUndefined(bfd))
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
    address,
    /** Absent: the group's. */
    asn: asn.optional(),
    /** Settings that it shares with others: its own word wins, then the group's, then the default. */
    group: z.string().min(1).optional(),
    name: z.string().min(1).optional(),
    description: z.string().optional(),
    localAddress: address.optional(),
    ...peerSettings,
  })
  .check(exclusive('password', 'passwordFile'), exclusive('ttl', 'ttlSecurity'), givesAsn);

const defaultSettings = z
  .strictObject(peerSettings)
  .check(exclusive('password', 'passwordFile'), exclusive('ttl', 'ttlSecurity'));

const groupSettings = z
  .strictObject({ asn: asn.optional(), description: z.string().optional(), ...peerSettings })
  .check(exclusive('password', 'passwordFile'), exclusive('ttl', 'ttlSecurity'));

const listen = z.union([
  address.transform((value) => ({ address: value, port: 179 })),
  z.strictObject({ address, port: port.default(179) }),
]);

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
    .strictObject({ maxPaths: whole(1, 128).default(16), relaxAsPath: z.boolean().default(true) })
    .prefault({}),
  gracefulRestart: z
    .strictObject({
      enabled: z.boolean().default(true),
      notification: z.boolean().default(false),
      restartSeconds: whole(0, 4095).default(120),
      stalePathSeconds: whole(1, 65_535).default(300),
      deferralSeconds: whole(1, 3600).default(30),
    })
    .prefault({}),
  filters: z.array(filterSchema).optional(),
  importSafety: clusterSafetySchema,
  defaults: defaultSettings.prefault({}),
  groups: z.record(z.string().min(1), groupSettings).default({}),
  peers: z.array(peer).default([]),
  originate: z.array(prefix).default([]),
});

const DEFAULT_HOLD_SECONDS = 9;
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
  const unresolved = groupFaults(result.data.groups, result.data.peers);
  if (unresolved.length > 0) throw new SpeakerFileError(unresolved);
  const config = toConfig(result.data);
  const clashes = [
    ...duplicates(config.peers),
    ...misplacedClients(config),
    ...filterFaults(config.filters ?? [], config.peers),
  ];
  if (clashes.length > 0) throw new SpeakerFileError(clashes);
  return config;
}

function toConfig({ defaults, groups, peers, ...rest }: z.output<typeof file>): SpeakerConfig {
  return {
    ...withoutUndefined(rest),
    peers: peers.map((given) => {
      const { group, ...peerOnly } = given;
      const shared = overlay(defaults, group === undefined ? {} : (groups[group] ?? {}));
      const merged = overlay(shared, peerOnly);
      const {
        password,
        passwordFile,
        ttlSecurity,
        asn,
        import: importFilters,
        export: exportFilters,
        ...own
      } = merged;
      if (asn === undefined) throw new Error('a peer without AS number');
      const hold = own.holdSeconds ?? DEFAULT_HOLD_SECONDS;
      const families: readonly Family[] = own.families ?? [familyOf(own.address)];
      const isExternal = asn !== (own.localAsn ?? rest.asn);
      return withoutUndefined({
        ...own,
        asn,
        families,
        name: own.name ?? own.address,
        port: own.port ?? 179,
        holdSeconds: hold,
        keepaliveSeconds: own.keepaliveSeconds ?? Math.floor(hold / 3),
        connectRetrySeconds: own.connectRetrySeconds ?? 5,
        passive: own.passive ?? false,
        allowAsIn: own.allowAsIn ?? 0,
        asOverride: own.asOverride ?? false,
        nextHop: own.nextHop ?? 'auto',
        ttl: ttlSecurity === undefined ? (own.ttl ?? (isExternal ? 1 : 64)) : GTSM_TTL,
        minTtl: ttlSecurity === undefined ? undefined : GTSM_TTL + 1 - ttlSecurity,
        password: passwordOf(password, passwordFile),
        importFilters,
        exportFilters,
        importSafety: peerSafetyOf(own.importSafety, rest.role),
      });
    }),
  };
}

function passwordOf(value: string | undefined, file: string | undefined): PeerConfig['password'] {
  if (value !== undefined) return { value };
  return file === undefined ? undefined : { file };
}

function duplicates(peers: readonly PeerConfig[]): string[] {
  const faults: string[] = [];
  const [names, ends] = [new Map<string, number>(), new Map<string, number>()];
  for (const [index, peer] of peers.entries()) {
    const end = `${peer.address} ${peer.port} ${peer.localAddress ?? ''}`;
    const sameEnd = ends.get(end);
    const sameName = names.get(peer.name);
    if (sameEnd !== undefined) {
      faults.push(`peers[${index}].address: ${peer.address} is the address of peers[${sameEnd}]`);
    } else if (sameName !== undefined) {
      faults.push(`peers[${index}].name: "${peer.name}" is the name of peers[${sameName}]`);
    }
    ends.set(end, index);
    names.set(peer.name, index);
  }
  return faults;
}

/** Clients that nothing would be reflected to: RFC 4456 is about iBGP, and a host reflects nothing. */
function misplacedClients({ asn, role, peers }: SpeakerConfig): string[] {
  return peers.flatMap((peer, index) => {
    if (!peer.routeReflectorClient) return [];
    const field = `peers[${index}].routeReflectorClient`;
    if (peer.asn !== (peer.localAsn ?? asn)) return [`${field}: only an iBGP peer can be a client`];
    return role === 'host' ? [`${field}: role host reflects nothing`] : [];
  });
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
