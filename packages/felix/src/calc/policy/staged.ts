import type { GlobalNetworkPolicy, NetworkPolicy } from '@overland/model';
import type { PolicyInputs, StagedPolicy } from './policy-inputs.ts';

/**
 * The inputs as they would be with the staged policies enforced: each takes the place of the policy of its name, or
 * takes it away. Staged policies of Kubernetes are left out.
 */
export function withStaged(inputs: PolicyInputs): PolicyInputs {
  const staged = inputs.staged.flatMap((policy) => {
    const kind = ENFORCED[policy.kind];
    return kind === undefined ? [] : [{ policy, key: keyOf(kind, policy) }];
  });
  const replaced = new Set(
    staged.filter(({ policy }) => policy.spec.stagedAction !== 'Ignore').map(({ key }) => key),
  );
  const kept = inputs.policies.filter((policy) => !replaced.has(keyOf(policy.kind, policy)));
  const added = staged
    .filter(({ policy }) => policy.spec.stagedAction === 'Set')
    .map(({ policy }) => enforced(policy));
  return { ...inputs, policies: [...kept, ...added], staged: [] };
}

const ENFORCED: Readonly<Record<StagedPolicy['kind'], string | undefined>> = {
  StagedNetworkPolicy: 'NetworkPolicy',
  StagedGlobalNetworkPolicy: 'GlobalNetworkPolicy',
  StagedKubernetesNetworkPolicy: undefined,
};

function keyOf(kind: string, { metadata }: StagedPolicy | NetworkPolicy | GlobalNetworkPolicy) {
  return `${kind} ${metadata.namespace ?? ''} ${metadata.name}`;
}

function enforced(policy: StagedPolicy): NetworkPolicy | GlobalNetworkPolicy {
  const { stagedAction: _, ...spec } = policy.spec;
  return { ...policy, kind: ENFORCED[policy.kind], spec } as NetworkPolicy | GlobalNetworkPolicy;
}
