import type {
  FelixConfiguration,
  HostEndpoint,
  IpPool,
  Node,
  Profile,
  StagedGlobalNetworkPolicy,
  StagedKubernetesNetworkPolicy,
  StagedNetworkPolicy,
  Tier,
  WorkloadEndpoint,
} from '@overland/model';
import type { Policy } from './placement.ts';
import type { NetworkSetOrFault } from './unusable-network-set.ts';

export type StagedPolicy =
  | StagedGlobalNetworkPolicy
  | StagedNetworkPolicy
  | StagedKubernetesNetworkPolicy;

/** Everything that decides what traffic may pass, of the whole cluster. */
export interface PolicyInputs {
  readonly tiers: readonly Tier[];
  readonly policies: readonly Policy[];
  readonly staged: readonly StagedPolicy[];
  readonly profiles: readonly Profile[];
  readonly workloads: readonly WorkloadEndpoint[];
  readonly hostEndpoints: readonly HostEndpoint[];
  readonly networkSets: readonly NetworkSetOrFault[];
  readonly felixConfigurations: readonly FelixConfiguration[];
  /** Where hosts are, for questions about them. */
  readonly nodes: readonly Node[];
  /** Whose containers reach what is outside under the address of their host. */
  readonly pools?: readonly IpPool[];
}
