import type { Kind } from '../kinds.ts';

/** Kinds that decide what traffic may pass, beside endpoints of workloads; staged policies decide nothing. */
export const ENFORCED_KINDS = [
  'Tier',
  'NetworkPolicy',
  'GlobalNetworkPolicy',
  'Profile',
  'HostEndpoint',
  'NetworkSet',
  'GlobalNetworkSet',
  'FelixConfiguration',
] as const satisfies readonly Kind[];
