import { describe } from 'vitest';
import { describeLeases } from './describe-leases.ts';
import { describeReads } from './describe-reads.ts';
import { describeTransactions } from './describe-transactions.ts';
import { describeWatches } from './describe-watches.ts';
import type { Open } from './harness.ts';

/** The suite that every adapter passes. */
export function describeDatastore(name: string, open: Open): void {
  describe(`${name} as a datastore`, () => {
    describe('reads', () => describeReads(open));
    describe('transactions', () => describeTransactions(open));
    describe('watches', () => describeWatches(open));
    describe('leases', () => describeLeases(open));
  });
}
