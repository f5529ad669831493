import {
  isJsonObject,
  type Kind,
  parseJson,
  type ResourceOfKind,
  tryReadResource,
} from '@overland/model';
import type { Prefix } from '@overland/net';
import { type DecodedResource, decodeResource } from './stored-resources.ts';

type NetworkSetKind = Extract<Kind, 'NetworkSet' | 'GlobalNetworkSet'>;

/** The nets of one object, as they are stored and as they were read; one for one. */
interface ReadNets {
  readonly stored: readonly unknown[];
  readonly nets: readonly Prefix[];
}

/**
 * Reads network sets as {@link decodeResource} does. Of one that was read before only the nets between those that it has
 * still at its begin and at its end are read: most changes of a set of thousands add or remove one.
 */
export class NetworkSetReader {
  readonly #known = new Map<string, ReadNets>();

  static isFor(kind: Kind): kind is NetworkSetKind {
    return kind === 'NetworkSet' || kind === 'GlobalNetworkSet';
  }

  forget(key: string): void {
    this.#known.delete(key);
  }

  read(kind: NetworkSetKind, key: string, value: string): DecodedResource {
    const known = this.#known.get(key);
    this.#known.delete(key);
    const stored = storedNets(value);
    const read = known && stored && readMiddle(kind, stored, known);
    // Whatever is wrong with it is told by who reads all of it.
    const decoded = read ?? decodeResource(kind, value);
    if (stored && decoded.type === 'resource') {
      const { nets = [] } = (decoded.resource as ResourceOfKind<NetworkSetKind>).spec;
      // Mostly they are spelled as they are read: then one of the two lists is kept.
      const isSame =
        nets.length === stored.nets.length && stored.nets.every((net, i) => net === nets[i]);
      if (nets.length === stored.nets.length) {
        this.#known.set(key, { stored: isSame ? nets : stored.nets, nets });
      }
    }
    return decoded;
  }
}

interface StoredSet {
  readonly object: Readonly<Record<string, unknown>>;
  readonly spec: Readonly<Record<string, unknown>>;
  readonly nets: readonly unknown[];
}

/** @returns `undefined` if it is no object with a list of nets. */
function storedNets(value: string): StoredSet | undefined {
  try {
    const object = parseJson(value);
    if (!isJsonObject(object) || !isJsonObject(object.spec)) return undefined;
    const { spec } = object;
    return Array.isArray(spec.nets) ? { object, spec, nets: spec.nets } : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function readMiddle(
  kind: NetworkSetKind,
  { object, spec, nets }: StoredSet,
  known: ReadNets,
): DecodedResource | undefined {
  const most = Math.min(nets.length, known.stored.length);
  let head = 0;
  while (head < most && nets[head] === known.stored[head]) head++;
  let tail = 0;
  while (tail < most - head && nets.at(-1 - tail) === known.stored.at(-1 - tail)) tail++;
  const middle = nets.slice(head, nets.length - tail);
  const result = tryReadResource(kind, { ...object, spec: { ...spec, nets: middle } });
  if ('faults' in result) return undefined;
  const { resource } = result;
  const read = [
    ...known.nets.slice(0, head),
    ...(resource.spec.nets ?? []),
    ...known.nets.slice(known.nets.length - tail),
  ];
  const whole = { ...resource, spec: { ...resource.spec, nets: read } };
  return { type: 'resource', resource: whole as ResourceOfKind<NetworkSetKind> };
}
