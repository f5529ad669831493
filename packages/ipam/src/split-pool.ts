import { type Datastore, type Entry, MAX_TRANSACTION_OPERATIONS } from '@overland/datastore';
import { appliedKey, isJsonObject, parseJson, resourceKey, stringifyJson } from '@overland/model';
import { type Prefix, prefixLength, subnetAt } from '@overland/net';
import { readPool } from './pool.ts';

/** A pool cannot be split so. */
export class SplitError extends Error {
  override readonly name = 'SplitError';
}

/** What {@link splitPool} needs besides the datastore. */
export interface SplitRequest {
  readonly pool: string;
  /** A power of two, at least 2. */
  readonly parts: number;
  readonly now: () => { toISOString(): string };
  readonly randomUuid: () => string;
}

/** One part of a pool. */
export interface SplitPart {
  readonly name: string;
  readonly cidr: Prefix;
}

/**
 * Replaces a pool by equal parts of its range, all of its other settings kept, in one transaction: at no time is there a
 * range without a pool, or with two, so nothing need be locked. Blocks and addresses stay as they are: each lies in a part.
 *
 * @throws {SplitError} If it cannot be split so; nothing is written.
 * @throws {ConflictError} If the pool was changed meanwhile, or a name is taken.
 */
export async function splitPool(datastore: Datastore, request: SplitRequest): Promise<SplitPart[]> {
  const key = resourceKey('IPPool', { name: request.pool });
  const entry = await datastore.get(key);
  if (!entry) throw new SplitError(`there is no pool ${request.pool}`);
  const parts = partsOf(entry, request);
  const created = parts.map(({ name, cidr }) => ({
    key: resourceKey('IPPool', { name }),
    value: partOf(entry, { name, cidr }, request),
  }));
  await datastore.transact({
    conditions: [
      { type: 'revision', key, revision: entry.revision },
      ...created.map(({ key: part }) => ({ type: 'absent', key: part }) as const),
    ],
    operations: [
      { type: 'delete', key },
      { type: 'delete', key: appliedKey('IPPool', { name: request.pool }) },
      ...created.map((part) => ({ type: 'put', ...part }) as const),
    ],
  });
  return parts;
}

function partsOf(entry: Entry, { pool: name, parts }: SplitRequest): SplitPart[] {
  const most = MAX_TRANSACTION_OPERATIONS / 2;
  const bits = Math.log2(parts);
  if (!Number.isInteger(bits) || parts < 2 || parts > most) {
    throw new SplitError(`${parts} parts: must be a power of two, 2 to ${most}`);
  }
  const pool = readPool(name, entry.value);
  if (!('cidr' in pool)) throw new SplitError(`pool ${name} cannot be read: ${pool.fault}`);
  const length = prefixLength(pool.cidr) + bits;
  if (length > pool.blockLength) {
    throw new SplitError(
      `pool ${name} (${pool.cidr}) cannot be split into ${parts}: each must hold a block of /${pool.blockLength}`,
    );
  }
  return Array.from({ length: parts }, (_, i) => ({
    name: `split-${name}-${i}`,
    cidr: subnetAt(pool.cidr, length, BigInt(i)),
  }));
}

/** The stored pool with another name and range, as an object of its own. */
function partOf(
  entry: Entry,
  { name, cidr }: SplitPart,
  { now, randomUuid }: SplitRequest,
): string {
  const object = parseJson(entry.value);
  const { metadata, spec, ...rest } = isJsonObject(object) ? object : {};
  const { labels, annotations } = isJsonObject(metadata) ? metadata : {};
  const creationTimestamp = now()
    .toISOString()
    .replace(/\.\d+Z$/, 'Z');
  return stringifyJson({
    ...rest,
    metadata: {
      name,
      uid: randomUuid(),
      creationTimestamp,
      ...(labels !== undefined && { labels }),
      ...(annotations !== undefined && { annotations }),
    },
    spec: { ...(isJsonObject(spec) ? spec : {}), cidr },
  });
}
