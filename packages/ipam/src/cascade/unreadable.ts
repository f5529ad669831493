import { ValidationError } from '@overland/model';

/** In the place of an object that is stored and that this version cannot read: it can be deleted all the same. */
export const UNREADABLE = Symbol('unreadable');

/** Of the failures to read an object, the one that does not matter to its deletion. */
export function unreadable(error: unknown): typeof UNREADABLE {
  if (error instanceof ValidationError) return UNREADABLE;
  throw error;
}
