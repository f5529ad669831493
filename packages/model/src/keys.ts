import { type Family, familyOf, ParseError, type Prefix, parsePrefix } from '@overland/net';
import { type Kind, kindOfPlural, kindTable } from './kinds.ts';
import type { ResourceName } from './resource.ts';

// Calico's etcdv3 layout: libcalico-go/lib/backend/model. Overland's own keys are in overland-keys.ts.
const RESOURCES = '/calico/resources/v3/projectcalico.org/';
const IPAM = '/calico/ipam/v2/';

/** `/calico/resources/v3/projectcalico.org/ippools/`: all objects of a kind, or those of one namespace. */
export function resourcePrefix(kind: Kind, namespace?: string): string {
  const { plural, namespaced } = kindTable(kind);
  return `${RESOURCES}${plural}/${namespaced && namespace ? `${namespace}/` : ''}`;
}

/**
 * The key of one object. Names are DNS names, so nothing is escaped.
 *
 * @throws {RangeError} If a namespaced kind is given no namespace.
 */
export function resourceKey(kind: Kind, { name, namespace }: ResourceName): string {
  if (kindTable(kind).namespaced && !namespace) throw new RangeError(`${kind} needs a namespace`);
  return resourcePrefix(kind, namespace) + name;
}

/** The inverse of {@link resourceKey}; `undefined` for other keys and kinds we do not know. */
export function parseResourceKey(
  key: string,
): { readonly kind: Kind; readonly name: ResourceName } | undefined {
  if (!key.startsWith(RESOURCES)) return undefined;
  const [plural = '', ...rest] = key.slice(RESOURCES.length).split('/');
  const kind = kindOfPlural(plural);
  if (!kind) return undefined;
  const [first, second] = rest;
  if (kindTable(kind).namespaced) {
    return first && second && rest.length === 2
      ? { kind, name: { namespace: first, name: second } }
      : undefined;
  }
  return first && rest.length === 1 ? { kind, name: { name: first } } : undefined;
}

/** All blocks of a family; of both without one. */
export function blockPrefix(family?: Family): string {
  return `${IPAM}assignment/${family ? `${family}/block/` : ''}`;
}

/** `/calico/ipam/v2/assignment/ipv4/block/10.65.0.0-26` */
export function blockKey(cidr: Prefix): string {
  return blockPrefix(familyOf(cidr)) + cidr.replace('/', '-');
}

/** The inverse of {@link blockKey}; `undefined` for other keys. */
export function parseBlockKey(key: string): Prefix | undefined {
  const match = /^\/calico\/ipam\/v2\/assignment\/ipv[46]\/block\/([^/]+)$/.exec(key);
  return match?.[1] === undefined ? undefined : prefixFromKey(match[1]);
}

/** Who claims a block: a host, or something that only has a name (`virtual`: load balancers). */
export interface AffinityOwner {
  readonly type: 'host' | 'virtual';
  readonly name: string;
}

/** All affinities, all of one owner, or those of one family. */
export function affinityPrefix(
  type: AffinityOwner['type'],
  name?: string,
  family?: Family,
): string {
  const owner = name === undefined ? '' : `${escapeSegment(name)}/`;
  return `${IPAM}${type}/${owner}${owner && family ? `${family}/block/` : ''}`;
}

/** `/calico/ipam/v2/host/host11/ipv4/block/10.65.0.0-26` */
export function affinityKey({ type, name }: AffinityOwner, cidr: Prefix): string {
  return affinityPrefix(type, name, familyOf(cidr)) + cidr.replace('/', '-');
}

/** The inverse of {@link affinityKey}; `undefined` for other keys, host markers among them. */
export function parseAffinityKey(
  key: string,
): { readonly owner: AffinityOwner; readonly cidr: Prefix } | undefined {
  const match = /^\/calico\/ipam\/v2\/(host|virtual)\/([^/]+)\/ipv[46]\/block\/([^/]+)$/.exec(key);
  const [, type, name, text] = match ?? [];
  const cidr = text === undefined ? undefined : prefixFromKey(text);
  if (cidr === undefined || name === undefined) return undefined;
  return {
    owner: { type: type === 'virtual' ? 'virtual' : 'host', name: unescapeSegment(name) },
    cidr,
  };
}

/** Marks that a host takes part in IPAM; its value is empty. */
export function hostMarkerKey(node: string): string {
  return `${IPAM}host/${escapeSegment(node)}`;
}

/** All handles. */
export const HANDLE_PREFIX = `${IPAM}handle/`;

/** The key of a handle; the ID is cut at a carriage return, as Calico does. */
export function handleKey(id: string): string {
  return HANDLE_PREFIX + escapeSegment(id.split('\r', 1)[0] ?? '');
}

/** The inverse of {@link handleKey}; `undefined` for other keys. */
export function parseHandleKey(key: string): string | undefined {
  const rest = key.startsWith(HANDLE_PREFIX) ? key.slice(HANDLE_PREFIX.length) : '';
  return rest === '' || rest.includes('/') ? undefined : unescapeSegment(rest);
}

/** The one ClusterInformation; it says whether the datastore is locked. */
export const CLUSTER_INFORMATION_KEY = resourceKey('ClusterInformation', { name: 'default' });

/** The one KubeControllersConfiguration; of it an agent needs the period of compaction. */
export const CONTROLLERS_CONFIGURATION_KEY = resourceKey('KubeControllersConfiguration', {
  name: 'default',
});

/** The configuration that Calico's allocator reads. */
export const IPAM_CONFIG_KEY = `${IPAM}config`;

function escapeSegment(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('/', '%2f');
}

function unescapeSegment(text: string): string {
  return text.replaceAll(/%2f/gi, '/').replaceAll('%25', '%');
}

function prefixFromKey(text: string): Prefix | undefined {
  try {
    return parsePrefix(text.replace('-', '/'));
  } catch (error) {
    if (error instanceof ParseError) return undefined;
    throw error;
  }
}
