import {
  describeFault,
  isEncapsulated,
  type JsonValue,
  type Labels,
  matches,
  parseJson,
  parseSelector,
  tryReadResource,
} from '@overland/model';
import {
  contains,
  type Family,
  familyOf,
  type IpAddress,
  type Prefix,
  prefixLength,
} from '@overland/net';
import type { PoolVerdict } from './errors.ts';

/** An IPPool as far as assigning from it goes. */
export interface Pool {
  readonly name: string;
  readonly cidr: Prefix;
  /** Prefix length of its blocks, in bits. */
  readonly blockLength: number;
  readonly disabled: boolean;
  /** Asks for tunnels, which Overland does not make: its addresses could not be reached. */
  readonly encapsulated: boolean;
  /** `false`: only those who name the pool get addresses from it (`assignmentMode: Manual`). */
  readonly automatic: boolean;
  /** `false`: kept for tunnels or load balancers (`allowedUses`). */
  readonly forWorkloads: boolean;
  /** As written, for messages. */
  readonly nodeSelector: string;
  readonly selectsNode: (labels: Labels) => boolean;
}

/** An IPPool that this version does not understand: nothing is assigned from it. */
export interface UnreadablePool {
  readonly name: string;
  readonly fault: string;
}

/** Reads a stored IPPool. */
export function readPool(name: string, value: string): Pool | UnreadablePool {
  const object = objectOf(value);
  if (object === undefined) return { name, fault: 'it is not JSON' };
  const result = tryReadResource('IPPool', object);
  if ('faults' in result) return { name, fault: result.faults.map(describeFault).join(', ') };
  const { cidr, blockSize, disabled, nodeSelector, assignmentMode, allowedUses } =
    result.resource.spec;
  const selector = parseSelector(nodeSelector);
  return {
    name,
    cidr,
    blockLength: blockSize,
    disabled,
    encapsulated: isEncapsulated(result.resource),
    automatic: assignmentMode === 'Automatic',
    forWorkloads: allowedUses.includes('Workload'),
    nodeSelector,
    selectsNode: (labels) => matches(selector, labels),
  };
}

/** The stored object, or `undefined` if it is not even JSON. */
export function objectOf(value: string): JsonValue | undefined {
  try {
    return parseJson(value);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** What a request says about pools. */
export interface PoolRequest {
  readonly family: Family;
  readonly nodeLabels: Labels;
  /** Names or CIDRs: only these, whatever their selectors and mode say. */
  readonly named?: readonly string[];
}

/** The pools to try, in order, and why the others are not. */
export interface PoolChoice {
  readonly eligible: readonly Pool[];
  readonly verdicts: readonly PoolVerdict[];
}

/** Chooses pools as Calico does: by family, use, mode and node selector; naming a pool bypasses the last two. */
export function choosePools(
  pools: readonly (Pool | UnreadablePool)[],
  request: PoolRequest,
): PoolChoice {
  const eligible: Pool[] = [];
  const verdicts: PoolVerdict[] = missingPools(pools, request);
  for (const pool of pools) {
    if ('fault' in pool) {
      verdicts.push({
        pool: pool.name,
        reason: `cannot be read (${pool.fault})`,
        remedy: 'correct it',
      });
      continue;
    }
    if (familyOf(pool.cidr) !== request.family) continue;
    const objection = objectionTo(pool, request);
    if (objection) verdicts.push({ pool: pool.name, cidr: pool.cidr, ...objection });
    else eligible.push(pool);
  }
  return { eligible, verdicts };
}

/** The pool that holds an address. */
export function poolOf(
  pools: readonly (Pool | UnreadablePool)[],
  address: IpAddress,
): Pool | undefined {
  return pools.find((pool): pool is Pool => 'cidr' in pool && contains(pool.cidr, address));
}

/** Whether the pool cuts its range into blocks like this one. */
export function isBlockOf(pool: Pool, cidr: Prefix): boolean {
  return contains(pool.cidr, cidr) && prefixLength(cidr) === pool.blockLength;
}

function isNamed(pool: Pool | UnreadablePool, named: readonly string[]): boolean {
  return named.includes(pool.name) || ('cidr' in pool && named.includes(pool.cidr));
}

function missingPools(
  pools: readonly (Pool | UnreadablePool)[],
  { named = [] }: PoolRequest,
): PoolVerdict[] {
  return named
    .filter((name) => !pools.some((pool) => isNamed(pool, [name])))
    .map((name) => ({
      pool: name,
      reason: 'does not exist',
      remedy: 'create it, or name another',
    }));
}

function objectionTo(
  pool: Pool,
  { named, nodeLabels }: PoolRequest,
): Pick<PoolVerdict, 'reason' | 'remedy'> | undefined {
  if (named && !isNamed(pool, named)) {
    return { reason: 'was not asked for', remedy: `name it, next to ${named.join(', ')}` };
  }
  if (pool.disabled) return { reason: 'is disabled', remedy: 'set its disabled to false' };
  if (pool.encapsulated) {
    return {
      reason: 'asks for encapsulation, which Overland does not make',
      remedy: 'set its ipipMode and vxlanMode to Never, or use another pool',
    };
  }
  if (!pool.forWorkloads) {
    return { reason: 'is not for workloads', remedy: 'add Workload to its allowedUses' };
  }
  if (named) return undefined;
  if (!pool.automatic) {
    return { reason: 'gives only what is asked for by name', remedy: 'name it in the request' };
  }
  if (!pool.selectsNode(nodeLabels)) {
    return {
      reason: `does not select this node (${pool.nodeSelector})`,
      remedy: 'label the node, or change its nodeSelector',
    };
  }
  return undefined;
}
