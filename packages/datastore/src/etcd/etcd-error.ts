import { type ServiceError, status } from '@grpc/grpc-js';
import {
  AccessDeniedError,
  CompactedError,
  LeaseError,
  LimitError,
  UnavailableError,
} from '../errors.ts';

/** Whether `error` is what gRPC rejects with. */
export function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && 'code' in error && 'details' in error;
}

/** Whether the request certainly was not carried out, and another attempt may be. */
export function wasNotSent({ code, details }: ServiceError): boolean {
  return (
    code === status.UNAVAILABLE &&
    /^No connection established|no leader|^Name resolution failed/i.test(details)
  );
}

/** Whether the token is no longer accepted: ask for a new one. The request was not carried out. */
export function needsNewToken({ code, details }: ServiceError): boolean {
  return code === status.UNAUTHENTICATED || /invalid auth token|auth store is old/.test(details);
}

/** Whether the member, or the way to it, is at fault: try another one. */
export function isOfMember({ code }: ServiceError): boolean {
  return code === status.UNAVAILABLE || code === status.DEADLINE_EXCEEDED;
}

const COMPACTED = /required revision has been compacted/;

/** Whether an error of the port says that a revision was compacted away, not that it was never reached. */
export function saysCompacted(error: unknown): boolean {
  return error instanceof CompactedError && COMPACTED.test(String(error.cause));
}

/** `error`, saying also what it was that is denied; any other error as it is. @param what `reading /calico/a`. */
export function naming(what: string, error: unknown): unknown {
  if (!(error instanceof AccessDeniedError) || !DENIED.test(error.message)) return error;
  return new AccessDeniedError(`etcd: permission denied: ${what}`, { cause: error });
}

const DENIED = /permission denied$/;

/**
 * The error of the port for what gRPC or etcd (`api/v3rpc/rpctypes/error.go`) says. Unknown ones are taken as
 * passing.
 */
export function portErrorOf(error: ServiceError): Error {
  const { code, details } = error;
  const options = { cause: error };
  if (COMPACTED.test(details)) {
    return new CompactedError('the revision is no longer kept', options);
  }
  if (/required revision is a future revision/.test(details)) {
    return new CompactedError('the revision was never reached', options);
  }
  if (/requested lease not found/.test(details))
    return new LeaseError('the lease has ended', options);
  if (/request is too large|too many operations/.test(details))
    return new LimitError(details, options);
  if (/authentication failed|user name is empty|permission denied/.test(details)) {
    return new AccessDeniedError(`etcd: ${details.replace(/^etcdserver: /, '')}`, options);
  }
  if (code === status.PERMISSION_DENIED) return new AccessDeniedError(`etcd: ${details}`, options);
  if (/database space exceeded/.test(details)) {
    return new UnavailableError(
      'etcd is out of space (NOSPACE): compact, defragment, disarm',
      options,
    );
  }
  // grpc-js ends some of its texts with a heading that nothing follows.
  const said = details.replace(/\. Resolution note: $/, '');
  const reason = code === status.DEADLINE_EXCEEDED ? 'no answer in time' : said;
  return new UnavailableError(`etcd: ${reason}`, options);
}
