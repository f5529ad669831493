import { parseJson, sameJson } from '@overland/model';
import type { Datastore, Entry, Operation, Transaction } from '../datastore.ts';
import { ConflictError } from '../errors.ts';
import { unchanged } from './lock.ts';
import type { KeyValue } from './source.ts';

/** What becomes of a key. */
export type Verdict = 'create' | 'change' | 'same';

/** A key that moves, with what stands at its place. */
export interface Compared {
  readonly wanted: KeyValue;
  readonly verdict: Verdict;
  readonly actual: Entry | undefined;
}

/** Compares some keys with what a datastore has. One call if it has none of them. */
export async function compare(
  target: Datastore,
  batch: readonly KeyValue[],
): Promise<readonly Compared[]> {
  if (await hasNone(target, batch)) {
    return batch.map((wanted) => ({ wanted, verdict: 'create', actual: undefined }));
  }
  return Promise.all(
    batch.map(async (wanted) => {
      const actual = await target.get(wanted.key);
      return { wanted, verdict: verdictOn(wanted, actual), actual };
    }),
  );
}

/** Writes what differs, if nobody has changed it since it was compared. */
export function transactionFor(compared: readonly Compared[]): Transaction {
  const different = compared.filter(({ verdict }) => verdict !== 'same');
  return {
    conditions: different.map(({ wanted, actual }) => unchanged(wanted.key, actual)),
    operations: different.map(({ wanted }): Operation => ({ type: 'put', ...wanted })),
  };
}

/** The same text, or the same data: somebody else's JSON has its fields in another order. */
export function isSameValue(one: string, other: string): boolean {
  if (one === other) return true;
  try {
    return sameJson(parseJson(one), parseJson(other));
  } catch (error) {
    // Not JSON, or nested too deep.
    if (error instanceof SyntaxError || error instanceof RangeError) return false;
    throw error;
  }
}

function verdictOn(wanted: KeyValue, actual: Entry | undefined): Verdict {
  if (!actual) return 'create';
  return isSameValue(wanted.value, actual.value) ? 'same' : 'change';
}

async function hasNone(target: Datastore, batch: readonly KeyValue[]): Promise<boolean> {
  try {
    const conditions = batch.map(({ key }) => ({ type: 'absent', key }) as const);
    await target.transact({ conditions, operations: [] });
    return true;
  } catch (error) {
    if (error instanceof ConflictError) return false;
    throw error;
  }
}
