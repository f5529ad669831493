import { type Change, type Entry, UnavailableError } from '@overland/datastore';
import {
  type AffinityOwner,
  affinityPrefix,
  DEFAULT_IPAM_CONFIG,
  decodeIpamConfig,
  IPAM_CONFIG_KEY,
  type IpamConfig,
  isJsonObject,
  type Labels,
  resourceKey,
  resourcePrefix,
} from '@overland/model';
import { type Family, familyOf, type Prefix } from '@overland/net';
import { ClaimIndex } from './claim-index.ts';
import { objectOf, type Pool, readPool, type UnreadablePool, type Use } from './pool.ts';
import { RESERVATION_PREFIX, readReservation } from './reservation.ts';

const AFFINITY_PREFIXES: readonly string[] = [affinityPrefix('host'), affinityPrefix('virtual')];

/**
 * What an assignment must know and others decide: pools, reservations, this node's labels, the configuration, and which
 * blocks are claimed. Kept current by watches, so that assigning reads none of it.
 */
export class IpamView {
  readonly claims: ClaimIndex;
  /** Resolves when every watch has delivered what exists. */
  readonly synced: Promise<void>;
  readonly #nodeKey: string;
  readonly #awaited: Set<string>;
  readonly #resolveSynced: () => void;
  readonly #pools = new Map<string, Pool | UnreadablePool>();
  readonly #reservations = new Map<string, Entry>();
  #reserved: readonly Prefix[] | undefined;
  #nodeLabels: Labels = {};
  #config: Entry | undefined;
  #decodedConfig: IpamConfig | undefined;

  /**
   * @param node Name of this host in the datastore.
   * @param owner Whose claims are ours; the host's by default.
   */
  constructor(node: string, owner: AffinityOwner = { type: 'host', name: node }) {
    this.claims = new ClaimIndex(owner);
    this.#nodeKey = resourceKey('Node', { name: node });
    this.#awaited = new Set([
      resourcePrefix('IPPool'),
      ...AFFINITY_PREFIXES,
      RESERVATION_PREFIX,
      this.#nodeKey,
      IPAM_CONFIG_KEY,
    ]);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.synced = promise;
    this.#resolveSynced = resolve;
  }

  /**
   * Keeps the view current until the watches end. Call once.
   *
   * @param watch `(prefix) => datastore.watch(prefix, signal)`.
   */
  async follow(watch: (prefix: string) => AsyncIterable<Change>): Promise<void> {
    const followOne = async (prefix: string): Promise<void> => {
      for await (const change of watch(prefix)) this.#apply(prefix, change);
    };
    await Promise.all([...this.#awaited].map(followOne));
  }

  /** @throws {UnavailableError} Until the view is in sync: what it does not show may exist. */
  pools(): readonly (Pool | UnreadablePool)[] {
    if (this.#awaited.size > 0) throw new UnavailableError('the IP pools have not been read yet');
    return [...this.#pools.values()];
  }

  /** Families in which a host can get addresses without naming a pool; IPv4 first. */
  families(use: Use = 'Workload'): Family[] {
    const usable = this.pools().filter(
      (pool) =>
        'cidr' in pool &&
        !pool.disabled &&
        !pool.unusable &&
        pool.automatic &&
        pool.uses.includes(use),
    );
    const found = new Set(usable.map((pool) => 'cidr' in pool && familyOf(pool.cidr)));
    return (['ipv4', 'ipv6'] as const).filter((family) => found.has(family));
  }

  nodeLabels(): Labels {
    return this.#nodeLabels;
  }

  /** @throws {IpamValueError} If it cannot be read: a limit that nobody understands is not ignored. */
  config(): IpamConfig {
    this.#decodedConfig ??= this.#config
      ? decodeIpamConfig(this.#config.value)
      : DEFAULT_IPAM_CONFIG;
    return this.#decodedConfig;
  }

  /**
   * Ranges that only who asks by name gets addresses from.
   *
   * @throws {IpamValueError} If one cannot be read: nobody knows which addresses it keeps free.
   */
  reserved(): readonly Prefix[] {
    this.#reserved ??= [...this.#reservations.values()].flatMap(readReservation);
    return this.#reserved;
  }

  #apply(prefix: string, change: Change): void {
    if (change.type === 'synced') {
      this.#awaited.delete(prefix);
      if (this.#awaited.size === 0) this.#resolveSynced();
    } else if (AFFINITY_PREFIXES.includes(prefix)) {
      this.claims.apply(change);
    } else {
      const key = change.type === 'put' ? change.entry.key : change.key;
      this.#applyObject(key, change.type === 'put' ? change.entry : undefined);
    }
  }

  #applyObject(key: string, entry: Entry | undefined): void {
    if (key === this.#nodeKey) {
      this.#nodeLabels = entry ? labelsOf(entry.value) : {};
    } else if (key === IPAM_CONFIG_KEY) {
      this.#config = entry;
      this.#decodedConfig = undefined;
    } else if (key.startsWith(RESERVATION_PREFIX)) {
      if (entry) this.#reservations.set(key, entry);
      else this.#reservations.delete(key);
      this.#reserved = undefined;
    } else if (key.startsWith(resourcePrefix('IPPool'))) {
      const name = key.slice(resourcePrefix('IPPool').length);
      if (entry) this.#pools.set(name, readPool(name, entry.value));
      else this.#pools.delete(name);
    }
  }
}

/** The labels of a stored object; whatever else is wrong with it does not matter here. */
function labelsOf(value: string): Labels {
  const object = objectOf(value);
  const metadata = isJsonObject(object) ? object.metadata : undefined;
  const labels = isJsonObject(metadata) ? metadata.labels : undefined;
  return isJsonObject(labels) ? (labels as Labels) : {};
}
