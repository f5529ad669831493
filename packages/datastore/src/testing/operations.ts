import type { Entry, LeaseId, Operation, Transaction } from '../datastore.ts';

export function put(key: string, value = '', lease?: LeaseId): Operation {
  return { type: 'put', key, value, ...(lease && { lease }) };
}

/** A transaction without conditions. */
export function write(...operations: Operation[]): Transaction {
  return { conditions: [], operations };
}

/** `key=value` of each entry. */
export function shown(entries: readonly Entry[]): string[] {
  return entries.map(({ key, value }) => `${key}=${value}`);
}
