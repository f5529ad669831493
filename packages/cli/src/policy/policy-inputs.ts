import { type PolicyInputs, unusableNetworkSet, unusablePolicy } from '@overland/felix/policy';
import { type AnyResource, completeResource, type Kind } from '@overland/model';
import { type CommandContext, UsageError } from '../command.ts';
import type { ManifestInput } from '../manifests/read-manifests.ts';
import {
  ofKind,
  type ReadCluster,
  resourcesFromDatastore,
  resourcesFromManifests,
} from '../resources/read-cluster.ts';

/** The kinds that decide what traffic may pass. */
const KINDS = [
  'Node',
  'Tier',
  'NetworkPolicy',
  'GlobalNetworkPolicy',
  'StagedNetworkPolicy',
  'StagedGlobalNetworkPolicy',
  'StagedKubernetesNetworkPolicy',
  'Profile',
  'WorkloadEndpoint',
  'HostEndpoint',
  'NetworkSet',
  'GlobalNetworkSet',
  'FelixConfiguration',
  'IPPool',
] as const satisfies readonly Kind[];

/** What cannot be read, as the kernel takes it. */
type Unusable = Pick<PolicyInputs, 'policies' | 'networkSets'>;

export interface ReadPolicies {
  readonly inputs: PolicyInputs;
  readonly problems: ReadCluster['problems'];
}

const NOTHING: ReadCluster = { resources: [], problems: [] };

/** A cluster as it is, and as it would be. */
export interface PolicyChangeInputs {
  readonly before: PolicyInputs;
  readonly after: PolicyInputs;
  readonly problems: ReadCluster['problems'];
}

/**
 * The cluster with manifests applied, if there are any, and without.
 *
 * @param base Manifests of the cluster; empty: the datastore.
 * @throws {UsageError} If a manifest is not valid, or manifests and a datastore are asked for.
 */
export async function readPolicyChange(
  change: ManifestInput,
  { base, config }: { readonly base: readonly string[]; readonly config: string | undefined },
  context: CommandContext,
): Promise<PolicyChangeInputs> {
  if (base.length > 0 && config !== undefined) {
    throw new UsageError('--base reads manifests, --config a datastore: one at a time');
  }
  const changed =
    change.filename.length > 0 ? await resourcesFromManifests(change, context) : NOTHING;
  const { resources, problems } =
    base.length > 0
      ? await resourcesFromManifests({ ...change, filename: base }, context)
      : await resourcesFromDatastore(KINDS, config, context);
  const byName = new Map(resources.map((resource) => [nameOf(resource), resource]));
  for (const resource of changed.resources) byName.set(nameOf(resource), resource);
  const unusable = unusableOf(problems);
  const isLeft = (resource: Pick<AnyResource, 'kind' | 'metadata'>) =>
    !byName.has(nameOf(resource));
  const remaining = {
    policies: unusable.policies.filter(isLeft),
    networkSets: unusable.networkSets.filter(isLeft),
  };
  return {
    before: inputsOf(resources.map(completeResource), unusable),
    after: inputsOf([...byName.values()].map(completeResource), remaining),
    problems,
  };
}

function nameOf({
  kind,
  metadata: { namespace = '', name },
}: Pick<AnyResource, 'kind' | 'metadata'>): string {
  return `${kind} ${namespace}/${name}`;
}

/** Policies that cannot be read close whom they select, network sets what is asked about them: here as in the kernel. */
function unusableOf(problems: ReadCluster['problems']): Unusable {
  return {
    policies: problems.flatMap(({ kind, name, stored, reason: fault }) =>
      kind === 'NetworkPolicy' || kind === 'GlobalNetworkPolicy'
        ? [unusablePolicy(kind, name, { stored, fault })]
        : [],
    ),
    networkSets: problems.flatMap(({ kind, name, stored, reason: fault }) =>
      kind === 'NetworkSet' || kind === 'GlobalNetworkSet'
        ? [unusableNetworkSet(kind, name, { stored, fault })]
        : [],
    ),
  };
}

/**
 * From manifests if there are any (`-f`), else from the datastore.
 *
 * @throws {UsageError} If both are asked for, or a manifest is not valid.
 */
export async function readPolicies(
  { config, ...input }: ManifestInput & { readonly config: string | undefined },
  context: CommandContext,
): Promise<ReadPolicies> {
  const isOffline = input.filename.length > 0;
  if (isOffline && config !== undefined) {
    throw new UsageError('-f reads manifests, --config a datastore: one at a time');
  }
  const { resources, problems } = isOffline
    ? await resourcesFromManifests(input, context)
    : await resourcesFromDatastore(KINDS, config, context);
  return {
    inputs: inputsOf(resources.map(completeResource), unusableOf(problems)),
    problems,
  };
}

function inputsOf(resources: readonly AnyResource[], unusable: Unusable): PolicyInputs {
  const all = <K extends Kind>(kind: K) => ofKind(resources, kind);
  return {
    nodes: all('Node'),
    tiers: all('Tier'),
    policies: [...all('NetworkPolicy'), ...all('GlobalNetworkPolicy'), ...unusable.policies],
    staged: [
      ...all('StagedNetworkPolicy'),
      ...all('StagedGlobalNetworkPolicy'),
      ...all('StagedKubernetesNetworkPolicy'),
    ],
    profiles: all('Profile'),
    workloads: all('WorkloadEndpoint'),
    hostEndpoints: all('HostEndpoint'),
    networkSets: [...all('NetworkSet'), ...all('GlobalNetworkSet'), ...unusable.networkSets],
    felixConfigurations: all('FelixConfiguration'),
    pools: all('IPPool'),
  };
}
