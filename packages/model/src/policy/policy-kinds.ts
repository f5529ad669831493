import type { Kind } from '../kinds.ts';

/** Kinds that decide what traffic may pass, or would decide it, beside endpoints of workloads. */
export const POLICY_KINDS = [
  'Tier',
  'NetworkPolicy',
  'GlobalNetworkPolicy',
  'StagedNetworkPolicy',
  'StagedGlobalNetworkPolicy',
  'Profile',
  'HostEndpoint',
  'NetworkSet',
  'GlobalNetworkSet',
  'FelixConfiguration',
] as const satisfies readonly Kind[];
