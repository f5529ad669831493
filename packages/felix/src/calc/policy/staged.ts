import type { GlobalNetworkPolicy, NetworkPolicy } from '@overland/model';
import type { PolicyInputs, StagedPolicy } from './policy-inputs.ts';
import { listName } from './rule-list.ts';

/** What a staged policy would change. */
export interface StagedChange {
  /** The policy that it takes the place of, or takes away, whether there is one or not: `NetworkPolicy prod/web`. */
  readonly replaces: string;
  /** As it would be; absent: none. */
  readonly policy?: NetworkPolicy | GlobalNetworkPolicy;
}

const ENFORCED: Readonly<Record<StagedPolicy['kind'], string | undefined>> = {
  StagedNetworkPolicy: 'NetworkPolicy',
  StagedGlobalNetworkPolicy: 'GlobalNetworkPolicy',
  StagedKubernetesNetworkPolicy: undefined,
};

/** @returns `undefined` for what changes nothing: `Ignore`, `Learn`, and staged policies of Kubernetes. */
export function stagedChange(staged: StagedPolicy): StagedChange | undefined {
  const kind = ENFORCED[staged.kind];
  const { stagedAction, ...spec } = staged.spec;
  if (kind === undefined || (stagedAction !== 'Set' && stagedAction !== 'Delete')) return undefined;
  const policy = { ...staged, kind, spec } as NetworkPolicy | GlobalNetworkPolicy;
  return { replaces: listName(policy), ...(stagedAction === 'Set' && { policy }) };
}

/** The inputs as they would be with the staged policies enforced. */
export function withStaged(inputs: PolicyInputs): PolicyInputs {
  const changes = inputs.staged.flatMap((staged) => stagedChange(staged) ?? []);
  const replaced = new Set(changes.map(({ replaces }) => replaces));
  const kept = inputs.policies.filter((policy) => !replaced.has(listName(policy)));
  const added = changes.flatMap(({ policy }) => policy ?? []);
  return { ...inputs, policies: [...kept, ...added], staged: [] };
}
