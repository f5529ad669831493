import {
  CompactedError,
  ConflictError,
  LeaseError,
  LimitError,
  UnavailableError,
  UnusableError,
} from '../errors.ts';
import type { Failure } from './protocol.ts';

const CLASSES = {
  CompactedError,
  LeaseError,
  LimitError,
  UnavailableError,
  UnusableError,
} as const;

/** An error as data. */
export function failureOf(error: unknown): Failure {
  if (error instanceof ConflictError) {
    return { name: 'ConflictError', key: error.key, actual: error.actual };
  }
  if (error instanceof Error) return { name: error.name, message: error.message };
  return { name: 'Error', message: String(error) };
}

/** The inverse of {@link failureOf}. */
export function errorOf(failure: Failure): Error {
  if ('key' in failure) return new ConflictError(failure.key, failure.actual);
  const { name, message } = failure;
  return Object.hasOwn(CLASSES, name)
    ? new CLASSES[name as keyof typeof CLASSES](message)
    : new Error(message);
}
