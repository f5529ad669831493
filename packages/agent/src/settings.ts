import { KEY_PREFIX, MAX_KEY_PREFIX_LENGTH } from '@overland/datastore/key-prefix';
import {
  formatInterfaceAddress,
  parseAsn,
  parseInterfaceAddress,
  parsePrefix,
} from '@overland/net';
import { z } from 'zod';

/** What a setting is, for `docs/config.md`, the environment and `overland agent --help`. */
interface About {
  /** One or two sentences: what it does, and what the values mean. */
  readonly description: string;
  /** `seconds`, `bits`, …; absent where the value has none. */
  readonly unit?: string;
  /** The default in words, where it is not a constant. */
  readonly defaultText?: string;
  /** Calico's environment variable of the same meaning, read when ours is not set. */
  readonly calico?: string;
  /** Never printed. */
  readonly secret?: boolean;
}

export interface Setting<T extends z.ZodType = z.ZodType> {
  readonly schema: T;
  readonly about: About;
}

function setting<T extends z.ZodType>(schema: T, about: About): Setting<T> {
  return { schema, about };
}

/** Text from the environment or a flag, or a number from the file. */
function whole(min: number, max: number) {
  const fromText = (value: unknown) =>
    typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
  const range = `a whole number from ${min} to ${max}`;
  return z.preprocess(fromText, z.int(range).min(min, range).max(max, range));
}

/** Runs one of `net`'s parsers; its message is fit to show. */
function parsed<T>(parse: (text: string) => T) {
  return z.union([z.string(), z.number()]).transform((value, context): T => {
    try {
      return parse(String(value));
    } catch (error) {
      context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : '' });
      return z.NEVER;
    }
  });
}

const text = z.string().trim().min(1, 'must not be empty');
const path = text.refine((value) => value.startsWith('/'), 'must be an absolute path');

const httpUrl = text.refine(
  (value) => ['http:', 'https:'].includes(URL.parse(value)?.protocol ?? ''),
  'must be a URL of http or https',
);

const pem = text.refine((value) => value.includes('-----BEGIN '), 'must be PEM text');

const commaList = z.preprocess(
  (value) => (typeof value === 'string' ? value.split(',').map((item) => item.trim()) : value),
  z.array(text),
);

const labels = z.preprocess(
  (value) =>
    typeof value === 'string'
      ? Object.fromEntries(value.split(',').map((pair) => splitOnce(pair.trim())))
      : value,
  z.record(z.string(), z.string()),
);

function splitOnce(pair: string): [key: string, value: string] {
  const at = pair.indexOf('=');
  return at < 0 ? [pair, ''] : [pair.slice(0, at), pair.slice(at + 1)];
}

const nodeAddress = (family: 'ipv4' | 'ipv6') =>
  z.union([z.literal('autodetect'), z.literal('none'), parsed(parseNodeAddress(family))], {
    error: `\`autodetect\`, \`none\` or an ${family === 'ipv4' ? 'IPv4' : 'IPv6'} address, with or without a length`,
  });

function parseNodeAddress(family: 'ipv4' | 'ipv6') {
  return (value: string): string => {
    const address = parseInterfaceAddress(value);
    if (address.address.includes(':') !== (family === 'ipv6')) throw new Error(`not ${family}`);
    return formatInterfaceAddress(address);
  };
}

const endpoint = text.refine(
  (value) => /^(https?:\/\/)?(\[[0-9a-f:]+\]|[^\s/:[\]]+):\d{1,5}\/?$/i.test(value),
  'must be https://HOST:PORT, http://HOST:PORT or HOST:PORT',
);

const domain = text.refine(
  (value) =>
    value.length <= 253 && /^([a-z0-9]([-a-z0-9]*[a-z0-9])?\.)*[a-z0-9-]+\.?$/i.test(value),
  'must be a domain name',
);

const keyPrefix = text.refine(
  (value) => value.length <= MAX_KEY_PREFIX_LENGTH && KEY_PREFIX.test(value),
  'must be a path such as /site-1, without a slash at its end',
);

/** A full name as Calico's resources have it: RFC 1123 subdomain. */
const resourceName = text.refine(
  (value) =>
    value.length <= 253 &&
    /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(value),
  'lower case letters, digits, `-` and `.`, beginning and ending with a letter or digit',
);

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;

/**
 * Every setting of the agent. Key `nodeName` is `nodeName:` in the file, `OVERLAND_NODE_NAME` in the
 * environment and `--node-name` as a flag. `docs/config.md` is generated from this table.
 */
export const SETTINGS = {
  nodeName: setting(resourceName, {
    description: 'Name of this host in the datastore. No two hosts may have the same.',
    defaultText: 'the host name, in lower case',
    calico: 'NODENAME',
  }),
  ipv4: setting(nodeAddress('ipv4').default('autodetect'), {
    description:
      "This host's IPv4 address, as written to its Node: where BGP sessions of full-mesh and selector peerings end, and the default router id. `autodetect` takes a global address of `lo`, or else of the first interface that is up; `none` leaves the host without.",
    calico: 'IP',
  }),
  ipv6: setting(nodeAddress('ipv6').default('autodetect'), {
    description: 'The same for IPv6. Link-local addresses are not taken.',
    calico: 'IP6',
  }),
  asNumber: setting(parsed(parseAsn).optional(), {
    description: 'AS number of this host, as written to its Node; asplain or asdot.',
    defaultText: "BGPConfiguration's `asNumber`, or else 64512",
    calico: 'AS',
  }),
  labels: setting(labels.default({}), {
    description:
      'Labels to set on the Node, as a map, or as `key=value,key=value`. Labels set by others stay.',
  }),
  datastoreType: setting(
    z
      .preprocess((value) => (value === 'etcdv3' ? 'etcd' : value), z.enum(['sqlite', 'etcd']))
      .default('sqlite'),
    {
      description:
        'Where resources are stored: `sqlite`, one file on one machine, or `etcd`, for a cluster (`etcdv3` means the same).',
      calico: 'DATASTORE_TYPE',
    },
  ),
  sqlitePath: setting(path.default('/var/lib/overland/datastore.db'), {
    description: 'The SQLite file; created when absent.',
  }),
  etcdEndpoints: setting(z.pipe(commaList, z.array(endpoint)).default([]), {
    description: 'etcd servers, as a list or separated by commas: `https://10.0.0.1:2379`.',
    calico: 'ETCD_ENDPOINTS',
  }),
  etcdDiscoverySrv: setting(domain.optional(), {
    description:
      'Instead of servers, the domain whose SRV records name them: `_etcd-client-ssl._tcp.DOMAIN`, or else `_etcd-client._tcp.DOMAIN`.',
    calico: 'ETCD_DISCOVERY_SRV',
  }),
  etcdKeyPrefix: setting(keyPrefix.optional(), {
    description:
      'Path under which all keys are stored in etcd, such as `/site-1`, for several clusters in one etcd. Calico knows no such thing: its tools see only what has none.',
  }),
  etcdCaFile: setting(path.optional(), {
    description: 'PEM file of the authorities that sign the servers of etcd.',
    calico: 'ETCD_CA_CERT_FILE',
  }),
  etcdCertFile: setting(path.optional(), {
    description: 'PEM file of our client certificate for etcd.',
    calico: 'ETCD_CERT_FILE',
  }),
  etcdKeyFile: setting(path.optional(), {
    description: 'PEM file of the private key of our client certificate.',
    calico: 'ETCD_KEY_FILE',
  }),
  etcdCa: setting(pem.optional(), {
    description: 'The authorities that sign the servers of etcd, in PEM, instead of a file.',
    calico: 'ETCD_CA_CERT',
  }),
  etcdCert: setting(pem.optional(), {
    description: 'Our client certificate for etcd, in PEM, instead of a file.',
    calico: 'ETCD_CERT',
  }),
  etcdKey: setting(pem.optional(), {
    description:
      'The private key of our client certificate, in PEM, instead of a file. Every user can read a flag.',
    calico: 'ETCD_KEY',
    secret: true,
  }),
  etcdUsername: setting(text.optional(), {
    description: 'User name for etcd.',
    calico: 'ETCD_USERNAME',
  }),
  etcdPassword: setting(text.optional(), {
    description: 'Password for etcd. Prefer the environment to a flag, which every user can read.',
    calico: 'ETCD_PASSWORD',
    secret: true,
  }),
  ipv4PoolCidr: setting(parsed(parsePrefix).optional(), {
    description:
      'IPPool to create, as `default-ipv4-ippool`, if the datastore has no IPv4 pool. Without it none is made up: the fabric must be able to route a pool.',
    calico: 'CALICO_IPV4POOL_CIDR',
  }),
  ipv4PoolBlockSize: setting(whole(20, 32).default(26), {
    description: 'Prefix length of the blocks of that pool.',
    unit: 'bits',
    calico: 'CALICO_IPV4POOL_BLOCK_SIZE',
  }),
  ipv6PoolCidr: setting(parsed(parsePrefix).optional(), {
    description: 'The same for IPv6, as `default-ipv6-ippool`.',
    calico: 'CALICO_IPV6POOL_CIDR',
  }),
  ipv6PoolBlockSize: setting(whole(116, 128).default(122), {
    description: 'Prefix length of the blocks of that pool.',
    unit: 'bits',
    calico: 'CALICO_IPV6POOL_BLOCK_SIZE',
  }),
  bootstrapFile: setting(path.default('/etc/overland/bootstrap.yaml'), {
    description:
      'Manifests (YAML documents) to create at start; those that exist already are left as they are. Need not exist.',
  }),
  stateDirectory: setting(path.default('/var/lib/overland'), {
    description:
      'Holds the host id, the snapshot and the journal of attachments. Must survive a reboot.',
  }),
  apiSocket: setting(path.default('/run/overland/agent.sock'), {
    description: "The agent's API; a unix socket that only root may use.",
  }),
  dockerPluginSocket: setting(path.optional(), {
    description:
      "Where Docker finds the driver for networks and addresses, such as `/run/docker/plugins/overland.sock`: the file's name is the driver's. Absent: there is none.",
  }),
  dockerApiSocket: setting(z.union([z.literal('none'), path]).default('/run/docker.sock'), {
    description:
      "Of Docker's API, which is asked for the names of networks and for the names and labels of containers. `none`: it is not; networks then need `-o overland.network=NAME`, and containers have the labels that are given with `driver-opt`.",
  }),
  secretsDirectory: setting(path.default('/etc/overland/secrets'), {
    description:
      'Where the secrets of Kubernetes that BGPPeers and BGPConfiguration name by `secretKeyRef` are: the file `NAME/KEY` in it, as a volume of secrets has it. A session whose password is not there is not made.',
  }),
  bfdSocket: setting(path.default('/run/overland/bfd.sock'), {
    description:
      'Of `overland bfd run`, which outlives a restart of the agent; started if a peer has `bfd` and nobody answers. One per network namespace.',
  }),
  metricsPort: setting(whole(0, 65_535).default(0), {
    description:
      'TCP port of `/metrics`, `/liveness` and `/readiness` on the loopback address; 0 for none. They are on the API socket in any case.',
  }),
  datastoreWaitSeconds: setting(whole(0, 600).default(3), {
    description:
      'How long a start waits for the datastore before it goes on from the last-known-good snapshot.',
    unit: 'seconds',
  }),
  offerWaitSeconds: setting(whole(0, 60).default(5), {
    description:
      'How long attaching a container waits, at most, until its block has been offered to a BGP peer.',
    unit: 'seconds',
  }),
  routeReadBackSeconds: setting(whole(1, 86_400).default(90), {
    description: 'How often the whole kernel state is read back and repaired.',
    unit: 'seconds',
  }),
  flows: setting(z.enum(['on-demand', 'always', 'never']).default('on-demand'), {
    description:
      "When the agent listens to the kernel for the flows of this host's workloads: while `overland flows` asks or there is somewhere to write them, always (then `/metrics` counts them, too), or never.",
  }),
  flowIntervalSeconds: setting(whole(1, 3600).default(10), {
    description: 'How long flows are added up before they become records.',
    unit: 'seconds',
  }),
  flowFile: setting(path.optional(), {
    description:
      'File to which records of flows are appended, a line of JSON each; at 64 MiB it becomes `FILE.1`, in place of the one before.',
  }),
  flowOtlpEndpoint: setting(httpUrl.optional(), {
    description:
      'OpenTelemetry collector to which records of flows are sent as logs, OTLP over HTTP: `http://127.0.0.1:4318`.',
  }),
  packetFilter: setting(z.enum(['auto', 'nftables', 'iptables']).default('auto'), {
    description:
      'Where policy is enforced. `auto`: as `nftablesMode` of the FelixConfiguration says, and where that is `Auto`, too, in iptables if others have rules in iptables-legacy on this host, else in nftables. A change takes effect with a restart, one of the FelixConfiguration at once; what was in force stays until the other holds all of the policy.',
  }),
  logLevel: setting(z.enum(logLevels).default('info'), {
    description: 'Least severe level that is logged, as JSON lines on standard error.',
  }),
} as const satisfies Record<string, Setting>;

export type SettingName = keyof typeof SETTINGS;

/** The settings that say where the datastore is: all that a client of it needs. */
export const DATASTORE_SETTINGS = [
  'datastoreType',
  'sqlitePath',
  'etcdEndpoints',
  'etcdDiscoverySrv',
  'etcdKeyPrefix',
  'etcdCaFile',
  'etcdCertFile',
  'etcdKeyFile',
  'etcdCa',
  'etcdCert',
  'etcdKey',
  'etcdUsername',
  'etcdPassword',
] as const satisfies readonly SettingName[];

/** Where the datastore is, complete and valid. */
export type DatastoreConfig = Pick<Config, (typeof DATASTORE_SETTINGS)[number]>;

/** The agent's configuration, complete and valid. */
export type Config = {
  readonly [K in SettingName]: z.output<(typeof SETTINGS)[K]['schema']>;
};

/** Names in the table's order. */
export const SETTING_NAMES = Object.keys(SETTINGS) as readonly SettingName[];

/** `nodeName` → `OVERLAND_NODE_NAME`. */
export function environmentName(name: string): string {
  return `OVERLAND_${words(name).join('_').toUpperCase()}`;
}

/** `nodeName` → `node-name`, as in `--node-name`. */
export function flagName(name: string): string {
  return words(name).join('-');
}

function words(name: string): string[] {
  return name.split(/(?=[A-Z])/).map((word) => word.toLowerCase());
}
