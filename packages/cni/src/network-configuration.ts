import { z } from 'zod';
import { CNI_CODE, CniError } from './cni-error.ts';
import {
  DEFAULT_SPEC_VERSION,
  isSpecVersion,
  SPEC_VERSIONS,
  type SpecVersion,
} from './spec-version.ts';

/** Of `ipam.type`: the addresses come from Overland. Calico's is taken for ours, so that only `type` needs to change. */
const OWN_IPAM = ['overland-ipam', 'calico-ipam'];

/** Calico writes booleans as text too. */
const flag = z.union([z.boolean(), z.enum(['true', 'false']).transform((text) => text === 'true')]);

const port = z.number().int().min(0).max(65_535);

/** The convention's spelling, and Mesos' and Cloud Foundry's. */
const portMapping = z
  .looseObject({
    hostPort: port.optional(),
    host_port: port.optional(),
    containerPort: port.optional(),
    container_port: port.optional(),
    protocol: z.string().optional(),
    hostIP: z.string().optional(),
  })
  .transform((mapping) => ({
    hostPort: mapping.hostPort ?? mapping.host_port ?? 0,
    containerPort: mapping.containerPort ?? mapping.container_port ?? 0,
    protocol: mapping.protocol ?? 'tcp',
    hostIP: mapping.hostIP ?? '',
  }));

export type PortMapping = z.output<typeof portMapping>;

const texts = z.array(z.string());

/** containerd begins the keys with capitals. */
const dns = z
  .looseObject({
    nameservers: texts.optional(),
    servers: texts.optional(),
    Servers: texts.nullish(),
    domain: z.string().optional(),
    search: texts.optional(),
    searches: texts.optional(),
    Searches: texts.nullish(),
    options: texts.optional(),
    Options: texts.nullish(),
  })
  .transform((given): Dns => {
    const nameservers = given.nameservers ?? given.servers ?? given.Servers ?? [];
    const search = given.search ?? given.searches ?? given.Searches ?? [];
    const options = given.options ?? given.Options ?? [];
    return {
      ...(nameservers.length > 0 && { nameservers }),
      ...(given.domain && { domain: given.domain }),
      ...(search.length > 0 && { search }),
      ...(options.length > 0 && { options }),
    };
  });

/** Name resolution, as results have it. */
export interface Dns {
  readonly nameservers?: readonly string[];
  readonly domain?: string;
  readonly search?: readonly string[];
  readonly options?: readonly string[];
}

const label = z.looseObject({ key: z.string(), value: z.string().default('') });

const args = z.looseObject({
  cni: z
    .looseObject({
      labels: z.union([z.array(label), z.record(z.string(), z.string())]).optional(),
      ips: texts.optional(),
      mac: z.string().optional(),
    })
    .optional(),
  'org.apache.mesos': z
    .looseObject({
      network_info: z
        .looseObject({
          name: z.string().optional(),
          labels: z.looseObject({ labels: z.array(label).default([]) }).optional(),
          port_mappings: z.array(portMapping).optional(),
        })
        .optional(),
    })
    .optional(),
});

const bits = z.number().int().min(0).optional();

/** As of CNI's plugin `bandwidth`: rates in bits per second, bursts in bits. */
const bandwidth = z.looseObject({
  ingressRate: bits,
  ingressBurst: bits,
  egressRate: bits,
  egressBurst: bits,
});

const runtimeConfig = z.looseObject({
  ips: texts.optional(),
  mac: z.string().optional(),
  portMappings: z.array(portMapping).nullish(),
  dns: dns.nullish(),
  bandwidth: bandwidth.nullish(),
  netOutRules: z.array(z.unknown()).nullish(),
  'io.kubernetes.cri.pod-annotations': z.record(z.string(), z.string()).nullish(),
});

const ipam = z.looseObject({
  type: z.string().default(''),
  assign_ipv4: flag.optional(),
  assign_ipv6: flag.optional(),
  ipv4_pools: texts.optional(),
  ipv6_pools: texts.optional(),
});

const attachment = z.looseObject({ containerID: z.string(), ifname: z.string() });

/** Names and values that decide something here. Others are the runtime's, another plugin's, or say what the agent knows. */
const configuration = z.looseObject({
  name: z
    .string()
    .regex(
      /^[A-Za-z0-9][A-Za-z0-9_.-]*$/,
      "must be letters, digits, '_', '.' and '-', beginning with a letter or digit",
    ),
  mtu: z
    .number()
    .int()
    .refine(
      (octets) => octets === 0 || (octets >= 576 && octets <= 65_535),
      'must be 0 or 576 to 65535',
    )
    .optional(),
  device_type: z.literal('veth', "must be 'veth'").optional(),
  include_default_routes: flag.optional(),
  container_settings: z
    .looseObject({ allow_ip_forwarding: z.literal(false).optional() })
    .optional(),
  ipam: ipam.optional(),
  dns: dns.optional(),
  args: args.nullish(),
  runtimeConfig: runtimeConfig.nullish(),
  /** Of Cloud Foundry: who the container is. */
  metadata: z.record(z.string(), z.unknown()).optional(),
  prevResult: z.unknown().optional(),
  'cni.dev/valid-attachments': z.array(attachment).optional(),
  'cni.dev/attachments': z.array(attachment).optional(),
});

type Parsed = z.output<typeof configuration>;

/** A network configuration as it came on standard input. */
export interface NetworkConfiguration extends Parsed {
  readonly cniVersion: SpecVersion;
  /** As it came, for other plugins. */
  readonly document: Readonly<Record<string, unknown>>;
}

/**
 * The document, and its version, from the text of a configuration: enough to answer an error in its form.
 *
 * @throws {CniError} Code 6 if it is not a JSON object, 1 if nobody knows the version.
 */
export function parseDocument(text: string): {
  readonly document: Readonly<Record<string, unknown>>;
  readonly cniVersion: SpecVersion;
} {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    const what = text.trim() === '' ? 'is empty' : `is not JSON: ${(error as Error).message}`;
    throw new CniError(CNI_CODE.decodingFailure, `the network configuration ${what}`);
  }
  if (typeof document !== 'object' || document === null || Array.isArray(document)) {
    throw new CniError(CNI_CODE.decodingFailure, 'the network configuration is not a JSON object');
  }
  const { cniVersion = DEFAULT_SPEC_VERSION } = document as { cniVersion?: unknown };
  const version = cniVersion === '' ? DEFAULT_SPEC_VERSION : cniVersion;
  if (!isSpecVersion(version)) {
    throw new CniError(
      CNI_CODE.incompatibleVersion,
      `cniVersion is ${JSON.stringify(cniVersion)}, which is not supported`,
      { details: `supported are ${SPEC_VERSIONS.join(', ')}` },
    );
  }
  return { document: document as Record<string, unknown>, cniVersion: version };
}

/** @throws {CniError} Code 7, naming field and value. */
export function parseConfiguration(
  document: Readonly<Record<string, unknown>>,
  cniVersion: SpecVersion,
): NetworkConfiguration {
  const result = configuration.safeParse(document);
  if (result.success) return { ...result.data, cniVersion, document };
  const faults = result.error.issues.map(({ path, message }) => {
    const value = JSON.stringify(valueAt(document, path)) ?? 'absent';
    return `${path.map(String).join('.')} is ${value.slice(0, 200)}: ${message}`;
  });
  throw new CniError(CNI_CODE.invalidConfiguration, faults.join('; '));
}

/** The plugin that the addresses come from, if it is another. Of an unchecked configuration: a DEL must get through. */
export function delegatedIpam(document: Readonly<Record<string, unknown>>): string | undefined {
  const given = document.ipam as { readonly type?: unknown } | null | undefined;
  const type = given?.type;
  return typeof type !== 'string' || type === '' || OWN_IPAM.includes(type) ? undefined : type;
}

function valueAt(document: unknown, path: readonly PropertyKey[]): unknown {
  let value = document;
  for (const key of path) value = (value as Record<PropertyKey, unknown> | undefined)?.[key];
  return value;
}
