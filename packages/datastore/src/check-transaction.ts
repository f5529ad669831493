import {
  MAX_TRANSACTION_OCTETS,
  MAX_TRANSACTION_OPERATIONS,
  type Transaction,
} from './datastore.ts';
import { LimitError } from './errors.ts';

/**
 * Refuses what etcd would refuse, before anything is sent, in every adapter alike.
 *
 * @throws {LimitError} If it has too many parts or octets; the largest value is named.
 * @throws {RangeError} If a key is empty or written twice.
 */
export function checkTransaction({ conditions, operations }: Transaction): void {
  for (const [what, { length }] of [
    ['conditions', conditions],
    ['operations', operations],
  ] as const) {
    if (length > MAX_TRANSACTION_OPERATIONS) {
      throw new LimitError(
        `${length} ${what} in one transaction, of ${MAX_TRANSACTION_OPERATIONS}`,
      );
    }
  }
  const written = new Set<string>();
  let octets = 0;
  let largest = { key: '', octets: -1 };
  for (const operation of operations) {
    if (operation.key === '') throw new RangeError('an empty key');
    if (written.has(operation.key)) throw new RangeError(`${operation.key} is written twice`);
    written.add(operation.key);
    const size = operation.type === 'put' ? octetLength(operation.value) : 0;
    if (size > largest.octets) largest = { key: operation.key, octets: size };
    octets += size + octetLength(operation.key);
  }
  if (octets > MAX_TRANSACTION_OCTETS) {
    throw new LimitError(
      `${octets} octets in one transaction, of ${MAX_TRANSACTION_OCTETS}; ${largest.key} has ${largest.octets}`,
    );
  }
}

/** Length in UTF-8. */
function octetLength(text: string): number {
  return Buffer.byteLength(text);
}
