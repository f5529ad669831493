export type { Assignment, AssignRequest } from './assign-request.ts';
export type { Allocation } from './block.ts';
export { blockOrder } from './block-order.ts';
export { deleteNode } from './cascade/delete-node.ts';
export { deletePool } from './cascade/delete-pool.ts';
export type { Removal } from './cascade/removal.ts';
export type { Collected, Collector, CollectorOptions } from './collect/collector.ts';
export { createCollector } from './collect/collector.ts';
export { describeFinding } from './collect/describe-finding.ts';
export type { Finding } from './collect/findings.ts';
export { findingsOf } from './collect/findings.ts';
export type { Survey } from './collect/survey.ts';
export { takeSurvey } from './collect/survey.ts';
export type { ConfigChanges } from './configure.ts';
export { configureIpam, IpamConfigError } from './configure.ts';
export type { PoolVerdict } from './errors.ts';
export {
  AddressUnavailableError,
  ContentionError,
  InconsistentBlockError,
  NoAddressError,
  RequestAbandonedError,
  StaleReleaseError,
} from './errors.ts';
export type { GivenUp } from './give-up-block.ts';
export type { Ipam, IpamOptions } from './ipam.ts';
export { createIpam } from './ipam.ts';
export type { GivenUpBlock, IpamAdmin, IpamAdminOptions } from './ipam-admin.ts';
export { createIpamAdmin } from './ipam-admin.ts';
export { lentAddresses } from './lent-addresses.ts';
export type { Release } from './release-in-block.ts';
export type { Explanation } from './report/explain.ts';
export { explainNode } from './report/explain.ts';
export type {
  AddressState,
  BlockUsage,
  PlacedAllocation,
  PoolUsage,
} from './report/usage.ts';
export {
  addressState,
  allAllocations,
  borrowedAddresses,
  strayBlocks,
  usageOf,
} from './report/usage.ts';
export type { SplitPart } from './split-pool.ts';
export { SplitError, splitPool } from './split-pool.ts';
export { IpamView } from './view.ts';
