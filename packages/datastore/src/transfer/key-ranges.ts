import { KINDS } from '@overland/model';

/** Where the keys lie that belong to a cluster. What lies elsewhere is somebody else's, and is not looked at. */
export const TRANSFER_PREFIXES = ['/calico/', '/overland/'] as const;

/** All objects of Calico's API. */
export const RESOURCES_PREFIX = '/calico/resources/v3/projectcalico.org/';

/** All fields of ours that belong to objects of Calico's API; continues as {@link RESOURCES_PREFIX} does. */
export const EXTENSIONS_PREFIX = '/overland/v1/extensions/';

interface KeyRange {
  readonly keys: RegExp;
  /** For summaries. */
  readonly what: string;
  /** Why these keys stay behind; absent: they move. */
  readonly leftOut?: string;
}

/**
 * What is under a lease, or means something in its own datastore only, stays behind. The first that fits decides. A key
 * that nothing fits moves: it is better kept than lost.
 */
const RANGES: readonly KeyRange[] = [
  { keys: /^\/calico\/ipam\/v2\/assignment\//, what: 'IPAM blocks' },
  { keys: /^\/calico\/ipam\/v2\/handle\//, what: 'IPAM handles' },
  { keys: /^\/calico\/ipam\/v2\/(?:host|virtual)\/[^/]+\/./, what: 'IPAM affinities' },
  { keys: /^\/calico\/ipam\/v2\/host\/[^/]+$/, what: 'IPAM hosts' },
  { keys: /^\/calico\/ipam\/v2\/config$/, what: 'IPAM configuration' },
  {
    keys: /^\/calico\/felix\//,
    what: 'Felix status',
    leftOut: 'written under a lease; agents report anew',
  },
  {
    keys: /^\/calico\/openstack\/.*\/neutron_election/,
    what: 'Neutron elections',
    leftOut: 'held under a lease; elected anew',
  },
  { keys: /^\/calico\//, what: "other keys of Calico's" },
  {
    keys: /^\/overland\/v1\/agents\//,
    what: 'agents that run',
    leftOut: 'held under a lease; agents announce themselves anew',
  },
  {
    keys: /^\/overland\/v1\/leaders\//,
    what: 'elections',
    leftOut: 'held under a lease; elected anew',
  },
  { keys: /^\/overland\/v1\/extensions\//, what: 'extensions' },
  { keys: /^\/overland\/v1\/applied\//, what: 'records of apply' },
  { keys: /^\/overland\/v1\/hosts\//, what: 'host names' },
  {
    keys: /^\/overland\/v1\/created\//,
    what: 'guards of creations',
    leftOut: 'they hold nothing; made anew with the next creation',
  },
  { keys: /^\/overland\/v1\//, what: 'other keys of Overland' },
  {
    keys: /^\/overland\//,
    what: 'keys of another layout of Overland',
    leftOut: 'this version does not know what they mean',
  },
];

const KIND_OF_PLURAL = new Map<string, string>(
  Object.values(KINDS).map(({ kind, plural }) => [plural, kind]),
);

/** What a key is part of, and why it would stay behind. */
export function keyRange(key: string): Omit<KeyRange, 'keys'> {
  if (key.startsWith(RESOURCES_PREFIX)) {
    const [plural = ''] = key.slice(RESOURCES_PREFIX.length).split('/', 1);
    return { what: KIND_OF_PLURAL.get(plural) ?? plural };
  }
  return RANGES.find(({ keys }) => keys.test(key)) ?? { what: 'other keys' };
}

/** Keys left out of a transfer, and why. */
export interface LeftOut {
  readonly what: string;
  readonly keys: number;
  readonly why: string;
}

/** Counts what is met, by what it is. */
export class Tally {
  readonly #counts = new Map<string, number>();
  readonly #leftOut = new Map<string, LeftOut>();

  /** @returns Whether the key moves. */
  add(key: string): boolean {
    const { what, leftOut: why } = keyRange(key);
    if (why === undefined) {
      this.#counts.set(what, (this.#counts.get(what) ?? 0) + 1);
      return true;
    }
    const keys = (this.#leftOut.get(what)?.keys ?? 0) + 1;
    this.#leftOut.set(what, { what, keys, why });
    return false;
  }

  get total(): number {
    let total = 0;
    for (const count of this.#counts.values()) total += count;
    return total;
  }

  /** By name. */
  get counts(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#counts].toSorted(([a], [b]) => (a < b ? -1 : 1)));
  }

  get leftOut(): readonly LeftOut[] {
    return [...this.#leftOut.values()];
  }
}
