import {
  describeFault,
  type IpPool,
  isEncapsulated,
  isJsonObject,
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

/** What addresses of a pool may be for (`allowedUses`). */
export type Use = 'Workload' | 'Tunnel' | 'LoadBalancer';

/** An IPPool as far as assigning from it goes. */
export interface Pool {
  readonly name: string;
  readonly cidr: Prefix;
  /** Prefix length of its blocks, in bits. */
  readonly blockLength: number;
  readonly disabled: boolean;
  /** `false`: only those who name the pool get addresses from it (`assignmentMode: Manual`). */
  readonly automatic: boolean;
  readonly uses: readonly Use[];
  /** Why nothing is assigned whatever the request: a pool that wants encapsulation, or that is about to go. */
  readonly unusable: Pick<PoolVerdict, 'reason' | 'remedy'> | undefined;
  /** As written, for messages. */
  readonly nodeSelector: string;
  readonly selectsNode: (labels: Labels) => boolean;
  /** As written; empty: all namespaces. */
  readonly namespaceSelector: string;
  readonly selectsNamespace: (labels: Labels) => boolean;
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
  const { resource } = result;
  const { cidr, blockSize, disabled, nodeSelector, assignmentMode, allowedUses } = resource.spec;
  const { namespaceSelector = '' } = resource.spec;
  return {
    name,
    cidr,
    blockLength: blockSize,
    disabled,
    automatic: assignmentMode === 'Automatic',
    uses: allowedUses,
    unusable: unusable(resource),
    nodeSelector,
    selectsNode: predicate(nodeSelector),
    namespaceSelector,
    selectsNamespace: predicate(namespaceSelector || 'all()'),
  };
}

function predicate(selector: string): (labels: Labels) => boolean {
  const expression = parseSelector(selector);
  return (labels) => matches(expression, labels);
}

function unusable(pool: IpPool): Pool['unusable'] {
  const { metadata, status } = pool;
  if (isEncapsulated(pool)) {
    const remedy = 'set its ipipMode and vxlanMode to Never, or use another pool';
    return { reason: 'asks for encapsulation, which Overland does not make', remedy };
  }
  const leaving = isJsonObject(metadata) && metadata.deletionTimestamp !== undefined;
  if (leaving) return { reason: 'is being deleted', remedy: 'use another pool' };
  const conditions: readonly unknown[] = status?.conditions ?? [];
  const refused = conditions.find(
    (condition) =>
      isJsonObject(condition) && condition.type === 'Allocatable' && condition.status === 'False',
  );
  if (!isJsonObject(refused)) return undefined;
  return {
    reason: `is not allocatable (${String(refused.reason ?? 'no reason given')})`,
    remedy: 'see its status',
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
  readonly use: Use;
  readonly nodeLabels: Labels;
  /** Of the namespace that the address is for; none if it is for no namespace. */
  readonly namespaceLabels?: Labels;
  /** Names or CIDRs: only these, whatever their selectors and mode say. */
  readonly named?: readonly string[];
}

/** The pools to try, in order, and why the others are not. */
export interface PoolChoice {
  readonly eligible: readonly Pool[];
  readonly verdicts: readonly PoolVerdict[];
}

/** Chooses pools as Calico does: by family, use, mode and selectors; naming a pool bypasses mode and selectors. */
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
  { named, use, nodeLabels, namespaceLabels = {} }: PoolRequest,
): Pick<PoolVerdict, 'reason' | 'remedy'> | undefined {
  if (named && !isNamed(pool, named)) {
    return { reason: 'was not asked for', remedy: `name it, next to ${named.join(', ')}` };
  }
  if (pool.disabled) return { reason: 'is disabled', remedy: 'set its disabled to false' };
  if (pool.unusable) return pool.unusable;
  if (!pool.uses.includes(use)) {
    return {
      reason: `is for ${pool.uses.join(' and ') || 'no use'} only`,
      remedy: `add ${use} to its allowedUses`,
    };
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
  if (!pool.selectsNamespace(namespaceLabels)) {
    return {
      reason: `does not select this namespace (${pool.namespaceSelector})`,
      remedy: 'label the namespace, or change its namespaceSelector',
    };
  }
  return undefined;
}
