export type { FilterMode, FilterSetting, PacketFilter } from './calc/filter-choice.ts';
export { filterModeOf } from './calc/filter-mode.ts';
export type { AddressHolder } from './calc/incremental/address-holders.ts';
export { PolicyCalculation } from './calc/incremental/policy-calculation.ts';
export type { EndpointState, LocalState } from './calc/local-state.ts';
export type { LocalInputs, Problem } from './calc/local-state-of.ts';
export { localStateOf } from './calc/local-state-of.ts';
export { hostAddressesOf } from './calc/outgoing-nat.ts';
export { unusableNetworkSet } from './calc/policy/unusable-network-set.ts';
export { unusablePolicy } from './calc/policy/unusable-policy.ts';
export type { PolicyChange } from './calc/policy-change.ts';
export {
  applyChange,
  differenceOf,
  emptyPolicyState,
  isEmptyChange,
} from './calc/policy-change.ts';
export type { PolicyState } from './calc/policy-state.ts';
export { policyStateFromJson, policyStateToJson } from './calc/policy-state-json.ts';
export type { ProgrammedEndpoint } from './calc/programmed-endpoint.ts';
export { programmedEndpoint } from './calc/programmed-endpoint.ts';
export type { Clock } from './dataplane/clock.ts';
export type {
  Dataplane,
  DataplaneOptions,
  DataplaneStatus,
  FailureStatus,
} from './dataplane/dataplane.ts';
export type { LearnedCounts } from './dataplane/learned/learned-routes.ts';
export type { InterfaceStatus } from './dataplane/link-table.ts';
export type { LocalCounts } from './dataplane/local-reconciler.ts';
export type { HostFilters } from './dataplane/packet-filters.ts';
export type { PolicyCounts } from './dataplane/policy-backend.ts';
export type { CollectedFlows } from './flows/flow-collector.ts';
export type { FlowCounts } from './flows/flow-table.ts';
export type { JudgedFlow } from './flows/judge-flows.ts';
export { judgeFlows } from './flows/judge-flows.ts';
