import type { Condition, Operation, Revision, Transaction } from '../datastore.ts';
import { ConflictError } from '../errors.ts';
import { entryOf } from './etcd-entry.ts';
import { EQUAL, GREATER, MOD, type TxnResponse, VERSION } from './messages.ts';

/** A transaction in etcd's form; when it fails it reads what its conditions are about. */
export function requestOf({ conditions, operations }: Transaction) {
  return {
    compare: conditions.map(compareOf),
    success: operations.map(operationOf),
    failure: keysOf(conditions).map((key) => ({ request_range: { key } })),
  };
}

function keysOf(conditions: readonly Condition[]): string[] {
  return [...new Set(conditions.map(({ key }) => key))];
}

function compareOf(condition: Condition) {
  const { key } = condition;
  switch (condition.type) {
    case 'absent':
      return { key, result: EQUAL, target: VERSION, version: '0' };
    case 'present':
      return { key, result: GREATER, target: VERSION, version: '0' };
    case 'revision':
      return { key, result: EQUAL, target: MOD, mod_revision: condition.revision };
  }
}

function operationOf(operation: Operation) {
  const { key } = operation;
  if (operation.type === 'delete') return { request_delete_range: { key } };
  return { request_put: { key, value: operation.value, lease: operation.lease } };
}

/**
 * What etcd's answer says of a transaction.
 *
 * @param revision Of the whole answer.
 * @throws {ConflictError} That names the condition which does not hold, by what the same transaction has read.
 */
export function outcomeOf(
  { conditions }: Transaction,
  { succeeded, responses }: Pick<TxnResponse, 'succeeded' | 'responses'>,
  revision = '0',
): Revision {
  if (succeeded) return revision as Revision;
  const keys = keysOf(conditions);
  const found = new Map(keys.map((key, i) => [key, responses[i]?.response_range?.kvs[0]] as const));
  const broken = conditions.find((condition) => {
    const kv = found.get(condition.key);
    if (condition.type === 'revision') return kv?.mod_revision !== condition.revision;
    return (condition.type === 'present') !== (kv !== undefined);
  });
  const key = broken?.key ?? '';
  const kv = found.get(key);
  throw new ConflictError(key, kv && entryOf(kv));
}
