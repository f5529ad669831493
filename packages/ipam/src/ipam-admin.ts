import type { Datastore } from '@overland/datastore';
import {
  type AffinityOwner,
  affinityPrefix,
  BLOCK_SIZES,
  blockKey,
  blockPrefix,
  DEFAULT_IPAM_CONFIG,
  decodeIpamConfig,
  hostMarkerKey,
  IPAM_CONFIG_KEY,
  parseAffinityKey,
  parseBlockKey,
} from '@overland/model';
import { contains, familyOf, type IpAddress, type Prefix, prefixOf } from '@overland/net';
import { ownerOf } from './block.ts';
import type { Cooldown } from './cooldown.ts';
import { type GivenUp, giveUpBlock } from './give-up-block.ts';
import type { Instant } from './instant.ts';
import { listEntries } from './list-entries.ts';
import { type Releaser, releaseByHandle, releaseFromBlock } from './release.ts';
import type { Release } from './release-in-block.ts';
import { readBlock } from './stored-block.ts';

/** One block that was given up, and what became of it. */
export interface GivenUpBlock {
  /** `undefined`: nobody. */
  readonly owner: AffinityOwner | undefined;
  readonly cidr: Prefix;
  readonly outcome: GivenUp;
}

/**
 * What an operator or a collector does to addresses of the whole cluster, from outside any host. Every call can be
 * repeated after an interruption: it goes on with what is left. All throw `UnavailableError` when the datastore does not
 * answer.
 */
export interface IpamAdmin {
  /** Gives back everything a handle holds. @returns The addresses that became free. */
  releaseHandle(handle: string): Promise<IpAddress[]>;

  /**
   * Gives back addresses, each under its own preconditions, wherever their blocks are. Those not in use are skipped.
   *
   * @throws {StaleReleaseError} If a precondition does not hold; nothing of that block was released.
   */
  releaseAddresses(releases: readonly Release[]): Promise<IpAddress[]>;

  /**
   * Gives up all blocks of a host, as when its Node is deleted, and the mark that it takes part. Blocks with addresses in
   * use stay without an owner: release the addresses of its workloads first.
   */
  giveUpHost(node: string): AsyncGenerator<GivenUpBlock>;

  /**
   * Gives up all blocks of a pool, hosts' and virtual ones, as when the pool is deleted; disable it first. Blocks without
   * owner and without addresses in use are deleted as well.
   */
  giveUpPool(pool: Prefix): AsyncGenerator<GivenUpBlock>;
}

/** What {@link createIpamAdmin} needs. */
export interface IpamAdminOptions {
  readonly datastore: Datastore;
  readonly now: () => Instant;
}

/** Nothing to stop. */
export function createIpamAdmin({ datastore, now }: IpamAdminOptions): IpamAdmin {
  const releaser: Releaser = {
    datastore,
    own: { known: () => new Map(), remember: () => undefined, forget: () => undefined },
    cooldown: () => readCooldown(datastore, now()),
  };
  return {
    releaseHandle: (handle) => releaseByHandle(releaser, handle),
    async releaseAddresses(releases) {
      const byBlock = new Map<Prefix, Release[]>();
      for (const release of releases) {
        const cidr = await findBlock(datastore, release.address, byBlock.keys());
        if (cidr) byBlock.set(cidr, [...(byBlock.get(cidr) ?? []), release]);
      }
      const released: IpAddress[] = [];
      for (const [cidr, ofBlock] of byBlock) {
        released.push(...(await releaseFromBlock(releaser, cidr, ofBlock)));
      }
      return released;
    },
    async *giveUpHost(node) {
      const owner = { type: 'host', name: node } as const;
      for (const { cidr } of await claimsUnder(datastore, affinityPrefix('host', node))) {
        yield { owner, cidr, outcome: await giveUpBlock(datastore, { owner, cidr }) };
      }
      const marker = { type: 'delete', key: hostMarkerKey(node) } as const;
      await datastore.transact({ conditions: [], operations: [marker] });
    },
    async *giveUpPool(pool) {
      for (const type of ['host', 'virtual'] as const) {
        for (const { owner, cidr } of await claimsUnder(datastore, affinityPrefix(type))) {
          if (!contains(pool, cidr)) continue;
          yield { owner, cidr, outcome: await giveUpBlock(datastore, { owner, cidr }) };
        }
      }
      yield* giveUpUnclaimed(datastore, pool);
    },
  };
}

/** Blocks that name an owner who has no claim, and those that name none. */
async function* giveUpUnclaimed(datastore: Datastore, pool: Prefix): AsyncGenerator<GivenUpBlock> {
  const inPool: Prefix[] = [];
  for await (const { key } of listEntries(datastore, blockPrefix(familyOf(pool)))) {
    const cidr = parseBlockKey(key);
    if (cidr && contains(pool, cidr)) inPool.push(cidr);
  }
  for (const cidr of inPool) {
    const stored = await readBlock(datastore, cidr);
    if (!stored) continue;
    const owner = ownerOf(stored.block);
    yield { owner, cidr, outcome: await giveUpBlock(datastore, { owner, cidr }) };
  }
}

/** The configuration is read each time: an outsider has no watch. */
async function readCooldown(datastore: Datastore, now: Instant): Promise<Cooldown> {
  const entry = await datastore.get(IPAM_CONFIG_KEY);
  const { ipCooldownSeconds } = entry ? decodeIpamConfig(entry.value) : DEFAULT_IPAM_CONFIG;
  return { now, seconds: ipCooldownSeconds };
}

/** The stored block that holds an address; its pool may be gone, so every size is tried, the usual one first. */
async function findBlock(
  datastore: Datastore,
  address: IpAddress,
  known: Iterable<Prefix>,
): Promise<Prefix | undefined> {
  for (const cidr of known) if (contains(cidr, address)) return cidr;
  const { min, max, default: usual } = BLOCK_SIZES[familyOf(address)];
  const lengths = Array.from({ length: max - min + 1 }, (_, i) => max - i);
  for (const length of [usual, ...lengths]) {
    const cidr = prefixOf(address, length);
    if (await datastore.get(blockKey(cidr))) return cidr;
  }
  return undefined;
}

type Claim = NonNullable<ReturnType<typeof parseAffinityKey>>;

/** All claims under a prefix. Read to the end first: they are about to be changed. */
async function claimsUnder(datastore: Datastore, prefix: string): Promise<Claim[]> {
  const claims: Claim[] = [];
  for await (const { key } of listEntries(datastore, prefix)) {
    const claim = parseAffinityKey(key);
    if (claim) claims.push(claim);
  }
  return claims;
}
