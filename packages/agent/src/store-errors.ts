import { LockedError, UnavailableError, UnusableError } from '@overland/datastore';
import { KernelError } from '@overland/linux';
import { ConfigError } from './config.ts';
import { NodeNameTakenError } from './host-claim.ts';
import type { ErrorClasses } from './thread-error.ts';

/** Errors of the store and of what it calls, on which somebody in another thread decides. */
export const STORE_ERRORS: ErrorClasses = [
  ConfigError,
  KernelError,
  LockedError,
  NodeNameTakenError,
  UnavailableError,
  UnusableError,
];
