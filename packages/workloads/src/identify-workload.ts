import type { WorkloadIdentity } from './api.ts';
import type { ResolvedOptions } from './ports.ts';
import { within } from './within.ts';
import { workloadEndpointOf } from './workload-endpoint.ts';
import type { WorkloadRecord } from './workload-record.ts';

/** What identifying takes besides the attachment. */
export interface Identification {
  readonly identity: WorkloadIdentity;
  readonly signal: AbortSignal;
  /** Records who it is. */
  readonly keep: (identified: WorkloadRecord) => Promise<void>;
}

/**
 * The second half of an attach: the endpoint is stored under its name and labels, and the host's end comes up behind
 * their policy.
 *
 * @throws {InvalidRequestError} If the identity makes no valid endpoint.
 * @throws {AttachAbortedError} If the signal aborts.
 */
export async function identifyWorkload(
  { node, endpoints, dataplane }: ResolvedOptions,
  record: WorkloadRecord,
  { identity, signal, keep }: Identification,
): Promise<void> {
  const { hostInterface, addresses } = record;
  const request = { ...record.request, ...identity, isUnidentified: false };
  const identified: WorkloadRecord = { ...record, request };
  const stored = endpoints.put(workloadEndpointOf(node, identified));
  await within(signal, 'the datastore', stored);
  await keep(identified);
  const ready = dataplane.endpointReady(hostInterface, addresses, signal);
  await within(signal, `${hostInterface} to come up`, ready);
}
