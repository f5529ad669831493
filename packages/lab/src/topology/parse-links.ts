import type { Path } from './fault.ts';
import { type Notes, readSection } from './read-section.ts';
import { LINK_SCHEMA, type LinkKeys } from './schema.ts';
import type { Endpoint, Link } from './topology.ts';

/** Containerlab's default for links between nodes, in octets. */
const DEFAULT_MTU = 9500;
/** Kernel limit: IFNAMSIZ less the terminating zero. */
const LONGEST_INTERFACE_NAME = 15;
/** Names with a meaning of their own where a node's name stands. */
const MAGIC_NODES = new Set(['host', 'mgmt-net', 'macvlan']);
const MAC = /^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/i;

export interface LinkSurroundings {
  readonly nodes: ReadonlySet<string>;
  /** The MAC address of an interface for which the file has none. */
  readonly macOf: (node: string, name: string) => string;
  readonly notes: Notes;
}

/** Reads the links: both the brief form (`["a:eth1", "b:eth1"]`) and the extended one (`type: veth`). */
export function parseLinks(value: unknown, surroundings: LinkSurroundings): Link[] {
  const { report } = surroundings.notes;
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) {
    report(['topology', 'links'], "'links': expected a list here");
    return [];
  }
  const taken = new Map<string, number>();
  return value.flatMap((item: unknown, index) => {
    const path = ['topology', 'links', index];
    const keys = readSection<LinkKeys>(LINK_SCHEMA, item, path, surroundings.notes);
    const link = keys && parseLink(keys, path, surroundings);
    for (const [side, endpoint] of (link?.endpoints ?? []).entries()) {
      const key = `${endpoint.node}:${endpoint.interface}`;
      const first = taken.get(key);
      if (first !== undefined) {
        report(
          [...path, 'endpoints', side],
          `interface ${key} is already used by link ${first + 1}`,
        );
      }
      taken.set(key, index);
    }
    return link ? [link] : [];
  });
}

function parseLink(keys: LinkKeys, path: Path, surroundings: LinkSurroundings): Link | undefined {
  const { report, warn } = surroundings.notes;
  if (keys.type !== undefined && keys.type !== 'veth') {
    report([...path, 'type'], `link type '${keys.type}' is not supported: only veth is`);
    return undefined;
  }
  for (const family of ['ipv4', 'ipv6'] as const) {
    if (keys[family])
      warn(
        [...path, family],
        `'${family}' of a link is left out: kind linux has no use for it; use exec`,
      );
  }
  const raw = keys.endpoints ?? [];
  if (raw.length !== 2) {
    report([...path, 'endpoints'], `a link has two endpoints, not ${raw.length}`);
    return undefined;
  }
  const [a, b] = raw.map((endpoint, side) =>
    parseEndpoint(endpoint, [...path, 'endpoints', side], surroundings),
  );
  return a && b ? { endpoints: [a, b], mtu: keys.mtu ?? DEFAULT_MTU } : undefined;
}

type RawEndpoint = NonNullable<LinkKeys['endpoints']>[number];

function parseEndpoint(
  raw: RawEndpoint,
  path: Path,
  { nodes, macOf, notes: { report } }: LinkSurroundings,
): Endpoint | undefined {
  const { node, name, mac } =
    typeof raw === 'string'
      ? { ...splitEndpoint(raw), mac: undefined }
      : { node: raw.node, name: raw.interface, mac: raw.mac };
  if (name === undefined || node === '') {
    report(path, `endpoint '${String(raw)}' is not NODE:INTERFACE`);
    return undefined;
  }
  const fault =
    nodeFault(node, nodes) ??
    interfaceFault(node, name) ??
    (mac !== undefined && !MAC.test(mac) ? `'${mac}' is not a MAC address` : undefined);
  if (fault !== undefined) {
    report(path, fault);
    return undefined;
  }
  return { node, interface: name, mac: mac?.toLowerCase() ?? macOf(node, name) };
}

function splitEndpoint(text: string): { node: string; name: string | undefined } {
  const [node = '', name, ...rest] = text.split(':');
  return { node, name: name === '' || rest.length > 0 ? undefined : name };
}

function nodeFault(node: string, nodes: ReadonlySet<string>): string | undefined {
  if (nodes.has(node)) return undefined;
  if (MAGIC_NODES.has(node))
    return `link to '${node}' is not supported: only links between nodes are`;
  return `link to node '${node}', which does not exist`;
}

function interfaceFault(node: string, name: string): string | undefined {
  if (name === 'eth0' || name === 'lo')
    return `${node}:${name} is taken: ${name === 'lo' ? 'the loopback' : 'the management'} interface`;
  // The kernel refuses these (dev_valid_name).
  if (
    name.length > LONGEST_INTERFACE_NAME ||
    /[\s/:]/.test(name) ||
    name === '.' ||
    name === '..'
  ) {
    return `'${name}' is not an interface name: at most ${LONGEST_INTERFACE_NAME} characters, no blanks, '/' or ':'`;
  }
  return undefined;
}
