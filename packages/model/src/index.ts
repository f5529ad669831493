export { CALICO_V1_VERSION, type ConvertedManifest, convertCalicoV1 } from './calico-v1/convert.ts';
export type { ShortHash } from './calico-v1/names.ts';
export { carryOver } from './carry-over.ts';
export { isCommunity } from './community.ts';
export { parseDuration } from './duration.ts';
export type { Extension } from './extensions.ts';
export { hasExtensions, joinExtensions, splitExtensions } from './extensions.ts';
export type { HostIdentity, KeyAccess, KeyRange } from './host-access.ts';
export { covers, hostAccess, keysWithPrefix } from './host-access.ts';
export type { Affinity } from './ipam/affinity.ts';
export { decodeAffinity, encodeAffinity } from './ipam/affinity.ts';
export type { IpamView } from './ipam/as-resource.ts';
export { ipamConfigValue, ipamResource, ipamView } from './ipam/as-resource.ts';
export type { AllocationAttribute, AllocationBlock } from './ipam/block.ts';
export { decodeBlock, encodeBlock } from './ipam/block.ts';
export type { IpamConfig } from './ipam/config.ts';
export { DEFAULT_IPAM_CONFIG, decodeIpamConfig, encodeIpamConfig } from './ipam/config.ts';
export type { UnknownFields } from './ipam/decode.ts';
export { IpamValueError } from './ipam/decode.ts';
export type { Handle } from './ipam/handle.ts';
export { decodeHandle, encodeHandle } from './ipam/handle.ts';
export type { JsonValue } from './json.ts';
export { isJsonObject, parseJson, sameJson, stringifyJson } from './json.ts';
export type { AffinityOwner } from './keys.ts';
export {
  affinityKey,
  affinityPrefix,
  blockKey,
  blockPrefix,
  CLUSTER_INFORMATION_KEY,
  CONTROLLERS_CONFIGURATION_KEY,
  HANDLE_PREFIX,
  handleKey,
  hostMarkerKey,
  IPAM_CONFIG_KEY,
  parseAffinityKey,
  parseBlockKey,
  parseHandleKey,
  parseResourceKey,
  resourceKey,
  resourcePrefix,
} from './keys.ts';
export type { KindTable, ResourceOf, Rule } from './kind.ts';
export type { BgpConfiguration } from './kinds/bgp-configuration.ts';
export { BGP_CONFIGURATION_DEFAULTS } from './kinds/bgp-configuration.ts';
export type { BgpFilter } from './kinds/bgp-filter.ts';
export type { BgpPeer } from './kinds/bgp-peer.ts';
export type { AffinityState, BlockAffinity } from './kinds/block-affinity.ts';
export type { CalicoNodeStatus } from './kinds/calico-node-status.ts';
export type { ClusterInformation } from './kinds/cluster-information.ts';
export { FAILSAFE_PORTS } from './kinds/felix/filtering.ts';
export type { FelixConfiguration } from './kinds/felix-configuration.ts';
export type { GlobalNetworkPolicy } from './kinds/global-network-policy.ts';
export type { GlobalNetworkSet } from './kinds/global-network-set.ts';
export type { HostEndpoint } from './kinds/host-endpoint.ts';
export type { IpPool } from './kinds/ip-pool.ts';
export { BLOCK_SIZES, isEncapsulated } from './kinds/ip-pool.ts';
export type { IpReservation } from './kinds/ip-reservation.ts';
export type { IpamBlock } from './kinds/ipam-block.ts';
export type { IpamConfiguration } from './kinds/ipam-configuration.ts';
export type { IpamHandle } from './kinds/ipam-handle.ts';
export type { KubeControllersConfiguration } from './kinds/kube-controllers-configuration.ts';
export type { NetworkPolicy } from './kinds/network-policy.ts';
export type { NetworkSet } from './kinds/network-set.ts';
export type { Node } from './kinds/node.ts';
export type { Profile } from './kinds/profile.ts';
export { DEFAULT_ALLOW_PROFILE } from './kinds/profile.ts';
export type { StagedGlobalNetworkPolicy } from './kinds/staged-global-network-policy.ts';
export type { StagedKubernetesNetworkPolicy } from './kinds/staged-kubernetes-network-policy.ts';
export type { StagedNetworkPolicy } from './kinds/staged-network-policy.ts';
export type { Tier } from './kinds/tier.ts';
export type { WorkloadEndpoint } from './kinds/workload-endpoint.ts';
export type { AnyKindTable, AnyResource, Kind, ResourceOfKind } from './kinds.ts';
export { findKind, isKind, KINDS, kindTable } from './kinds.ts';
export type { ProfileLabels } from './labels/effective-labels.ts';
export {
  endpointLabels,
  inheritLabels,
  namespaceLabels,
  namespaceProfileName,
  networkSetLabels,
  serviceAccountLabels,
  serviceAccountProfileName,
} from './labels/effective-labels.ts';
export { NAMESPACE_LABEL, ORCHESTRATOR_LABEL } from './labels/label-names.ts';
export type { PolicyScope } from './labels/policy-selectors.ts';
export { policySelector, sideSelector } from './labels/policy-selectors.ts';
export { completeResource, parseManifest } from './manifest.ts';
export { isLabelKey, isLabelValue } from './name-rules.ts';
export { nearestName } from './nearest-name.ts';
export type { HostClaim } from './overland-keys.ts';
export {
  AGENT_PREFIX,
  agentKey,
  appliedKey,
  appliedPrefix,
  COLLECTION_LEADER_KEY,
  COMPACTION_LEADER_KEY,
  creationGuardKey,
  extensionKey,
  extensionPrefix,
  HOST_CLAIM_PREFIX,
  hostClaimKey,
  parseAgentKey,
  tierGuardKey,
  workloadHandlePrefix,
} from './overland-keys.ts';
export type { PeerAddress } from './peer-address.ts';
export { parsePeerAddress } from './peer-address.ts';
export { BUILT_IN_TIERS, isBuiltInTier } from './policy/built-in-tiers.ts';
export { POLICY_KINDS } from './policy/policy-kinds.ts';
export type { Port, PortMatch } from './policy/port.ts';
export { parsePort } from './policy/port.ts';
export type { Protocol } from './policy/protocol.ts';
export { hasPorts, protocolNamed, protocolNumber, protocolText } from './policy/protocol.ts';
export type { PolicyRule, RuleSide } from './policy/rule-schema.ts';
export {
  formerKeyName,
  fromStoredForm,
  isTieredPolicy,
  toStoredForm,
} from './policy/stored-policy.ts';
export { NoYamlError, printYaml } from './print-yaml.ts';
export { dscpNumber, qosControls } from './qos-controls.ts';
export { readResource, subjectOf, tryReadResource } from './read-resource.ts';
export type { Metadata, Resource, ResourceName } from './resource.ts';
export { API_VERSION } from './resource.ts';
export { unknownFields } from './schema.ts';
export {
  HIDDEN,
  HIDDEN_CHANGED,
  hideSecrets,
  keepSecrets,
  markFaults,
  sameSecrets,
  secretPaths,
} from './secrets.ts';
export type { Expression, Labels } from './selector/expression.ts';
export { formatSelector, matches } from './selector/expression.ts';
export { parseSelector } from './selector/parse.ts';
export { SelectorError } from './selector/selector-error.ts';
export type { AppliedFields, Stated, Statement } from './three-way.ts';
export { appliedFields, threeWayMerge } from './three-way.ts';
export { immutabilityFaults, ruleFaults } from './validate.ts';
export type { Fault, Path } from './validation.ts';
export { describeFault, parsePath, ValidationError } from './validation.ts';
export type { WorkloadEndpointIdentity } from './workload-endpoint-name.ts';
export { parseWorkloadEndpointName, workloadEndpointName } from './workload-endpoint-name.ts';
