import { z } from 'zod';

/** The containerlab keys that this runner honours, as they stand in a file. Everything else is refused or left out by name. */

const text = z.union([z.string(), z.number(), z.boolean()]).transform(String);
const textOrNothing = z.union([text, z.null()]).transform((value) => value ?? '');
const texts = z.array(text);
const mapOfText = z.record(z.string(), textOrNothing);

export const NODE_SCHEMA = z.strictObject({
  kind: text.optional(),
  group: text.optional(),
  image: text.optional(),
  type: text.optional(),
  exec: texts.optional(),
  binds: texts.optional(),
  env: mapOfText.optional(),
  'env-files': texts.optional(),
  labels: mapOfText.optional(),
  sysctls: mapOfText.optional(),
  'mgmt-ipv4': text.optional(),
  'mgmt-ipv6': text.optional(),
  mgmt_ipv4: text.optional(),
  mgmt_ipv6: text.optional(),
  'network-mode': text.optional(),
  'startup-delay': z.number().int().min(0).optional(),
  entrypoint: text.optional(),
  cmd: text.optional(),
});

/** One node's keys, from any level: defaults, kinds, groups, nodes. */
export type NodeKeys = z.output<typeof NODE_SCHEMA>;

const endpoint = z.union([
  text,
  z.strictObject({
    node: text,
    interface: text,
    mac: text.optional(),
    ipv4: text.optional(),
    ipv6: text.optional(),
    vars: z.unknown().optional(),
  }),
]);

export const LINK_SCHEMA = z.strictObject({
  type: text.optional(),
  endpoints: z.array(endpoint).optional(),
  mtu: z.number().int().min(68).max(65_535).optional(),
  labels: mapOfText.optional(),
  vars: z.unknown().optional(),
  ipv4: texts.optional(),
  ipv6: texts.optional(),
});

export type LinkKeys = z.output<typeof LINK_SCHEMA>;

export const MANAGEMENT_SCHEMA = z.strictObject({
  network: text.optional(),
  bridge: text.optional(),
  'ipv4-subnet': text.optional(),
  'ipv6-subnet': text.optional(),
  ipv4_subnet: text.optional(),
  ipv6_subnet: text.optional(),
  'ipv4-gw': text.optional(),
  'ipv6-gw': text.optional(),
  mtu: z.union([z.number().int().min(1280).max(65_535), z.string().regex(/^\d+$/)]).optional(),
});

export type ManagementKeys = z.output<typeof MANAGEMENT_SCHEMA>;

/** Keys that change nothing inside the lab, or only what this runner has no use for. */
export const LEFT_OUT: Readonly<Record<string, string>> = {
  'auto-remove': 'nodes end with the lab',
  'cap-add': 'nodes have all capabilities',
  'cpu-set': 'nodes are not limited',
  'external-access': 'nothing of a lab is in the root network namespace',
  'image-pull-policy': 'no image is pulled',
  'ipv4-range': 'addresses are taken from the whole subnet',
  'ipv6-range': 'addresses are taken from the whole subnet',
  'driver-opts': 'there is no Docker network',
  'restart-policy': 'nodes are not restarted',
  'shm-size': 'nodes are not limited',
  cpu: 'nodes are not limited',
  debug: 'nothing to debug there',
  devices: "nodes have the host's devices",
  dns: 'nodes resolve the names of the lab only',
  healthcheck: 'the lab waits for convergence by itself',
  memory: 'nodes are not limited',
  ports: 'nothing of a lab is in the root network namespace',
  publish: 'nothing of a lab is in the root network namespace',
  runtime: 'nodes are namespaces',
  settings: 'they are about certificates',
};

/** Keys that a file relies on: leaving them out would run another lab than the file describes. */
export const REFUSED: Readonly<Record<string, string>> = {
  'enforce-startup-config': 'it is for network operating systems',
  'startup-config': 'it is for network operating systems; use binds',
  'suppress-startup-config': 'it is for network operating systems',
  aliases: 'nodes are known by their names only',
  certificate: 'no certificates are made',
  components: 'it is for chassis',
  config: 'no configuration is pushed into nodes; use binds or exec',
  extras: 'it is for network operating systems',
  license: 'it is for network operating systems',
  stages: 'nodes start together; use startup-delay',
  user: 'nodes run as root, daemons as the users of their packages',
  volumes: 'use binds',
};

export const TOP_KEYS = ['name', 'prefix', 'mgmt', 'settings', 'debug', 'topology'] as const;
export const TOPOLOGY_KEYS = ['defaults', 'kinds', 'groups', 'nodes', 'links'] as const;
