import type { Entry, Revision } from '../datastore.ts';
import type { KeyValue } from './messages.ts';

/** What a key holds, as the port has it. */
export function entryOf({ key, value, mod_revision }: KeyValue): Entry {
  return { key, value, revision: mod_revision as Revision };
}
