import {
  type AllocationBlock,
  type AnyResource,
  DEFAULT_IPAM_CONFIG,
  decodeAffinity,
  decodeBlock,
  decodeIpamConfig,
  describeFault,
  extensionKey,
  fromStoredForm,
  IPAM_CONFIG_KEY,
  type IpamConfig,
  joinExtensions,
  type Kind,
  parseAffinityKey,
  parseBlockKey,
  parseJson,
  parseResourceKey,
  type ResourceOfKind,
  tryReadResource,
} from '@overland/model';
import type { Prefix } from '@overland/net';

/** A block that this host has claimed, or is about to give back. */
interface OwnBlock {
  readonly cidr: Prefix;
  /** Only confirmed blocks are advertised and blackholed. */
  readonly confirmed: boolean;
}

/** An object that cannot be read, and is left out. */
interface UnreadableEntry {
  readonly key: string;
  readonly message: string;
}

/** What the stored entries say. */
export interface StoredResources {
  readonly blocks: readonly OwnBlock[];
  /** Who holds which address of them, as far as it is known. */
  readonly allocations: readonly AllocationBlock[];
  readonly ipamConfig: IpamConfig;
  readonly unreadable: readonly UnreadableEntry[];
  /** All objects of one kind, in key order. */
  all<K extends Kind>(kind: K): readonly ResourceOfKind<K>[];
}

/** One stored object, or why it cannot be read. */
export type DecodedResource =
  | { readonly type: 'resource'; readonly resource: AnyResource }
  | { readonly type: 'unreadable'; readonly message: string };

type Decoded =
  | DecodedResource
  | { readonly type: 'block'; readonly block: OwnBlock }
  | { readonly type: 'allocations'; readonly block: AllocationBlock }
  | { readonly type: 'ipam-config'; readonly config: IpamConfig }
  | { readonly type: 'none' };

interface Remembered {
  readonly value: string;
  readonly extensions: string | undefined;
  readonly decoded: Decoded;
}

/**
 * Reads stored entries as resources, our extension fields joined in. An object is decoded again only when its
 * text changes, so reading everything after each change is cheap.
 */
export class StoredResourceReader {
  #remembered = new Map<string, Remembered>();

  /** @param entries As stored, by key; keys of other kinds of data are passed over. */
  read(entries: ReadonlyMap<string, string>): StoredResources {
    const current = new Map<string, Remembered>();
    const byKind = new Map<Kind, AnyResource[]>();
    const blocks: OwnBlock[] = [];
    const allocations: AllocationBlock[] = [];
    let ipamConfig = DEFAULT_IPAM_CONFIG;
    const unreadable: UnreadableEntry[] = [];
    for (const key of [...entries.keys()].toSorted()) {
      const { decoded } = this.#remember(current, entries, key);
      if (decoded.type === 'block') blocks.push(decoded.block);
      else if (decoded.type === 'allocations') allocations.push(decoded.block);
      else if (decoded.type === 'ipam-config') ipamConfig = decoded.config;
      else if (decoded.type === 'unreadable') unreadable.push({ key, message: decoded.message });
      else if (decoded.type === 'resource') {
        const { resource } = decoded;
        const others = byKind.get(resource.kind);
        if (others) others.push(resource);
        else byKind.set(resource.kind, [resource]);
      }
    }
    this.#remembered = current;
    const all = <K extends Kind>(kind: K) => (byKind.get(kind) ?? []) as ResourceOfKind<K>[];
    return { blocks, allocations, ipamConfig, unreadable, all };
  }

  #remember(
    current: Map<string, Remembered>,
    entries: ReadonlyMap<string, string>,
    key: string,
  ): Remembered {
    const value = entries.get(key) ?? '';
    const name = parseResourceKey(key);
    const extensions = name && entries.get(extensionKey(name.kind, name.name));
    const known = this.#remembered.get(key);
    const remembered =
      known?.value === value && known.extensions === extensions
        ? known
        : { value, extensions, decoded: decode(key, value, extensions) };
    current.set(key, remembered);
    return remembered;
  }
}

function decode(key: string, value: string, extensions: string | undefined): Decoded {
  try {
    const name = parseResourceKey(key);
    if (name) return decodeResource(name.kind, value, extensions);
    if (key === IPAM_CONFIG_KEY) return { type: 'ipam-config', config: decodeIpamConfig(value) };
    if (parseBlockKey(key)) return { type: 'allocations', block: decodeBlock(value) };
    const affinity = parseAffinityKey(key);
    if (!affinity) return { type: 'none' };
    const { state, deleted } = decodeAffinity(value);
    const confirmed = state === 'confirmed' && !deleted;
    return { type: 'block', block: { cidr: affinity.cidr, confirmed } };
  } catch (error) {
    return { type: 'unreadable', message: error instanceof Error ? error.message : String(error) };
  }
}

/** Reads one stored object. */
export function decodeResource(kind: Kind, value: string, extensions?: string): DecodedResource {
  try {
    return readStored(kind, value, extensions);
  } catch (error) {
    return { type: 'unreadable', message: error instanceof Error ? error.message : String(error) };
  }
}

function readStored(kind: Kind, value: string, extensions: string | undefined): DecodedResource {
  const stored = parseJson(value);
  const joined = extensions === undefined ? stored : joinExtensions(stored, parseJson(extensions));
  const result = tryReadResource(kind, fromStoredForm(kind, joined));
  if ('resource' in result) return { type: 'resource', resource: result.resource as AnyResource };
  return { type: 'unreadable', message: result.faults.map(describeFault).join('; ') };
}
