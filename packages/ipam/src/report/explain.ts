import type { Labels } from '@overland/model';
import { ADDRESS_BITS, type Family, familyOf, type Prefix } from '@overland/net';
import { freeOrdinals, ownerOf } from '../block.ts';
import { blockOrder } from '../block-order.ts';
import type { Survey } from '../collect/survey.ts';
import { collectCooled } from '../cooldown.ts';
import type { PoolVerdict } from '../errors.ts';
import { blockLimit, whyNot } from '../free-blocks.ts';
import { choosePools, isBlockOf, type Pool } from '../pool.ts';
import { isWhollyReserved, reservedIn } from '../reservation.ts';

/** Where a node's next address of a family would come from, and why. */
export interface Explanation {
  readonly node: string;
  readonly family: Family;
  readonly source: /** A block of its own has free addresses. */
    | 'own-block'
    /** It would claim a block. */
    | 'new-block'
    /** It would take one from the block of another host. */
    | 'borrowed'
    | 'nothing';
  /** The block, where it can be told. */
  readonly block: Prefix | undefined;
  readonly pool: string | undefined;
  /** The node's blocks in the pools it may use. */
  readonly own: readonly { readonly cidr: Prefix; readonly pool: string; readonly free: number }[];
  /** Most blocks of the family that it may have. */
  readonly limit: number;
  /** Blocks that it would claim, in order, if others do not come first; at most five. */
  readonly next: readonly Prefix[];
  /** Pools that give nothing, and what would help. */
  readonly verdicts: readonly PoolVerdict[];
}

/** More blocks than this are not looked at for the order in which they would be claimed. */
const MOST_LOOKED_AT = 100_000;
const MOST_SHOWN = 5;

/** Explains both families. A node that does not exist is one without labels. */
export function explainNode(survey: Survey, node: string): Explanation[] {
  return (['ipv4', 'ipv6'] as const).map((family) => explainFamily(survey, node, family));
}

function explainFamily(survey: Survey, node: string, family: Family): Explanation {
  const nodeLabels: Labels = survey.nodes.get(node) ?? {};
  const request = { family, use: 'Workload', nodeLabels } as const;
  const { eligible, verdicts } = choosePools(survey.pools, request);
  const held = survey.claims.filter(
    ({ owner, cidr }) => owner.type === 'host' && owner.name === node && familyOf(cidr) === family,
  );
  const own = eligible.flatMap((pool) =>
    held
      .filter(({ cidr }) => isBlockOf(pool, cidr))
      .map(({ cidr }) => ({ cidr, pool: pool.name, free: freeIn(survey, cidr) })),
  );
  const limit = blockLimit(survey.config);
  const mayClaim = held.length < limit && survey.config.autoAllocateBlocks;
  const next = mayClaim ? nextBlocks(survey, eligible, node) : [];
  const lender = held.length < limit ? lenderFor(survey, eligible) : undefined;
  const about = { node, family, own, limit, next: next.map(({ cidr }) => cidr) };
  const full = eligible.map((pool) => ({
    pool: pool.name,
    cidr: pool.cidr,
    ...whyNot(pool, survey.config, held.length),
  }));
  const free = own.find((block) => block.free > 0);
  const [fresh] = next;
  if (free) return { ...about, source: 'own-block', block: free.cidr, pool: free.pool, verdicts };
  if (fresh)
    return { ...about, source: 'new-block', block: fresh.cidr, pool: fresh.pool, verdicts };
  if (lender) return { ...about, source: 'borrowed', block: undefined, pool: lender, verdicts };
  const all = [...verdicts, ...full];
  return { ...about, source: 'nothing', block: undefined, pool: undefined, verdicts: all };
}

function nextBlocks(
  { claims, blocks, reserved }: Survey,
  pools: readonly Pool[],
  node: string,
): { readonly cidr: Prefix; readonly pool: string }[] {
  const claimed = new Set(claims.map(({ cidr }) => cidr));
  const owned = new Set(
    blocks.filter(({ value }) => !value || value.affinity !== undefined).map(({ cidr }) => cidr),
  );
  const found: { readonly cidr: Prefix; readonly pool: string }[] = [];
  let looked = 0;
  for (const pool of pools) {
    for (const cidr of blockOrder(pool.cidr, pool.blockLength, node)) {
      if (found.length === MOST_SHOWN || ++looked > MOST_LOOKED_AT) return found;
      if (claimed.has(cidr) || owned.has(cidr) || isWhollyReserved(reserved, cidr)) continue;
      found.push({ cidr, pool: pool.name });
    }
  }
  return found;
}

/** A pool in which some block has an address to lend. */
function lenderFor(survey: Survey, pools: readonly Pool[]): string | undefined {
  if (survey.config.strictAffinity) return undefined;
  return pools.find((pool) =>
    survey.blocks.some(
      ({ cidr, value }) =>
        value && ownerOf(value) && isBlockOf(pool, cidr) && freeIn(survey, cidr) > 0,
    ),
  )?.name;
}

function freeIn({ blocks, reserved, takenAt, config }: Survey, cidr: Prefix): number {
  const block = blocks.find((each) => each.cidr === cidr);
  // A claim whose block is still to be made.
  if (!block) return 2 ** (ADDRESS_BITS[familyOf(cidr)] - Number(cidr.split('/')[1]));
  if (!block.value) return 0;
  const cooldown = { now: takenAt, seconds: config.ipCooldownSeconds };
  return freeOrdinals(collectCooled(block.value, cooldown), reservedIn(reserved, cidr)).length;
}
