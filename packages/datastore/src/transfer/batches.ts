import { checkTransaction } from '../check-transaction.ts';
import type { KeyValue, TransferSource } from './source.ts';

/** Keys written at once, and octets; one value may be larger. */
const BATCH_KEYS = 100;
const BATCH_OCTETS = 256 * 1024;

/**
 * Everything a source has but one key, in parts that a transaction takes.
 *
 * @throws {LimitError} If a value is larger than any datastore takes; it is named.
 */
export async function* batchesOf(
  source: TransferSource,
  without: string,
): AsyncGenerator<readonly KeyValue[], void> {
  let batch: KeyValue[] = [];
  let octets = 0;
  for await (const page of source.pages()) {
    for (const entry of page) {
      if (entry.key === without) continue;
      const size = Buffer.byteLength(entry.value) + entry.key.length;
      if (batch.length === BATCH_KEYS || (batch.length > 0 && octets + size > BATCH_OCTETS)) {
        yield checked(batch);
        batch = [];
        octets = 0;
      }
      batch.push(entry);
      octets += size;
    }
  }
  if (batch.length > 0) yield checked(batch);
}

function checked(batch: readonly KeyValue[]): readonly KeyValue[] {
  checkTransaction({
    conditions: [],
    operations: batch.map((entry) => ({ type: 'put', ...entry })),
  });
  return batch;
}
