export type {
  AttachedWorkload,
  AttachRequest,
  DetachedWorkload,
  DetachRequest,
  ListedWorkload,
  WorkloadIdentity,
} from './api.ts';
export { parseAttachRequest, parseDetachRequest, parseHandoverRequest } from './api.ts';
export type { Garbage } from './collect-garbage.ts';
export type { EndpointStore } from './endpoint-store.ts';
export { datastoreEndpoints } from './endpoint-store.ts';
export type { FieldFault } from './errors.ts';
export { AlreadyAttachedError, AttachAbortedError, InvalidRequestError } from './errors.ts';
export { fileJournal } from './file-journal.ts';
export type { Journal, JournalContent } from './journal.ts';
export { MissedTwice } from './missed-twice.ts';
export { networkProfile } from './network-profile.ts';
export type { WorkloadDataplane, WorkloadLimits, WorkloadsOptions } from './ports.ts';
export type { VethNetworkOptions } from './veth-network.ts';
export { vethNetwork } from './veth-network.ts';
export type { WorkloadLink, WorkloadNetwork } from './workload-network.ts';
export type { WorkloadRecord } from './workload-record.ts';
export type { Recovery, Workloads } from './workloads.ts';
export { createWorkloads } from './workloads.ts';
