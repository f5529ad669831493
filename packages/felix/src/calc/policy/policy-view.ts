import {
  BUILT_IN_TIERS,
  DEFAULT_ALLOW_PROFILE,
  type Expression,
  type GlobalNetworkPolicy,
  matches,
  type NetworkPolicy,
  networkSetLabels,
  type PolicyRule,
  type Profile,
  policySelector,
  type Tier,
} from '@overland/model';
import { activateRule } from './activate-rule.ts';
import type { ActiveRule } from './active-rule.ts';
import { AddressSets, type Labelled } from './address-sets.ts';
import { hostEndpointOf, type PolicyEndpoint, workloadEndpointOf } from './endpoint.ts';
import { type HostRules, hostRulesOf } from './host-rules.ts';
import type { PolicyInputs } from './policy-inputs.ts';

export type Direction = 'ingress' | 'egress';

/** A policy, or a profile, with its rules for one direction. */
export interface RuleList {
  /** `NetworkPolicy prod/web`, `Profile p`. */
  readonly name: string;
  /** In the order in which they are written. */
  readonly rules: readonly ActiveRule[];
  /** Why it is not there; then it decides nothing by itself, and what selects it is closed. */
  readonly missing?: string;
}

/** What one tier has to say of an endpoint's traffic in one direction. */
export interface EndpointTier {
  readonly name: string;
  /** What becomes of traffic that no rule decides. */
  readonly defaultAction: 'Deny' | 'Pass';
  /** In order; never empty. */
  readonly policies: readonly RuleList[];
}

/** All that decides about an endpoint's traffic in one direction, in order. */
export interface EndpointPolicy {
  readonly tiers: readonly EndpointTier[];
  readonly profiles: readonly RuleList[];
}

/** At which place on a packet's way a policy is asked. */
export type PolicyHook = 'normal' | 'forward' | 'preDNAT' | 'untracked';

type Policy = NetworkPolicy | GlobalNetworkPolicy;

interface PlacedPolicy {
  readonly policy: Policy;
  readonly name: string;
  readonly selector: Expression;
}

interface PlacedTier {
  readonly name: string;
  readonly order: number;
  readonly defaultAction: 'Deny' | 'Pass';
  readonly policies: readonly PlacedPolicy[];
  readonly missing: boolean;
}

/** Policies of one snapshot of the cluster, and whom they are about. Works out what is asked for, and keeps it. */
export class PolicyView {
  readonly endpoints: readonly PolicyEndpoint[];
  readonly sets: AddressSets;
  readonly #tiers: readonly PlacedTier[];
  readonly #profiles: ReadonlyMap<string, Profile>;
  readonly #felixConfigurations: PolicyInputs['felixConfigurations'];
  readonly #ruleLists = new Map<string, RuleList>();

  constructor(inputs: PolicyInputs) {
    const profiles = [...inputs.profiles, DEFAULT_ALLOW_PROFILE];
    this.#profiles = new Map(profiles.map((profile) => [profile.metadata.name, profile]));
    const profileLabels = (name: string) => this.#profiles.get(name)?.spec.labelsToApply;
    this.endpoints = [
      ...inputs.workloads.map((endpoint) => workloadEndpointOf(endpoint, profileLabels)),
      ...inputs.hostEndpoints.map((endpoint) => hostEndpointOf(endpoint, profileLabels)),
    ];
    const networkSets: Labelled[] = inputs.networkSets.map((set) => ({
      labels: networkSetLabels(set, profileLabels),
      nets: set.spec.nets ?? [],
      ports: [],
    }));
    this.sets = new AddressSets([...this.endpoints, ...networkSets]);
    this.#tiers = placeTiers(inputs);
    this.#felixConfigurations = inputs.felixConfigurations;
  }

  /** What decides about an endpoint's traffic, as its labels are. */
  policyOf(
    endpoint: PolicyEndpoint,
    direction: Direction,
    hook: PolicyHook = 'normal',
  ): EndpointPolicy {
    const tiers = this.#tiers.flatMap(({ policies, missing, ...tier }) => {
      const applied = policies.filter(
        ({ policy, selector }) =>
          isAskedAt(policy, endpoint.kind, hook) &&
          policy.spec.types?.includes(direction === 'ingress' ? 'Ingress' : 'Egress') &&
          matches(selector, endpoint.labels),
      );
      if (applied.length === 0) return [];
      const lists = applied.map(({ policy, name }) =>
        missing
          ? { name, rules: [], missing: `there is no tier ${tier.name}` }
          : this.#listOf(name, policy, direction),
      );
      return [{ name: tier.name, defaultAction: tier.defaultAction, policies: lists }];
    });
    const profiles = hook === 'normal' ? endpoint.profiles : [];
    return { tiers, profiles: profiles.map((name) => this.#profileOf(name, direction)) };
  }

  /** What holds on a host whatever its policies say. */
  hostRulesOf(node: string): HostRules {
    return hostRulesOf(this.#felixConfigurations, node);
  }

  #profileOf(name: string, direction: Direction): RuleList {
    const profile = this.#profiles.get(name);
    const label = `Profile ${name}`;
    if (!profile) return { name: label, rules: [], missing: 'there is no such profile' };
    return this.#listOf(label, profile, direction);
  }

  #listOf(name: string, source: Policy | Profile, direction: Direction): RuleList {
    const key = `${direction} ${name}`;
    const known = this.#ruleLists.get(key);
    if (known) return known;
    const written: readonly PolicyRule[] = source.spec[direction] ?? [];
    const { namespace } = source.metadata;
    const rules = written.map((rule) => activateRule(rule, namespace, this.sets));
    const list = { name, rules };
    this.#ruleLists.set(key, list);
    return list;
  }
}

/** Whether a policy is asked about endpoints of this kind at this place. calico.md section 5.2. */
function isAskedAt(policy: Policy, kind: PolicyEndpoint['kind'], hook: PolicyHook): boolean {
  const spec: Partial<GlobalNetworkPolicy['spec']> =
    policy.kind === 'GlobalNetworkPolicy' ? policy.spec : {};
  const own = spec.doNotTrack ? 'untracked' : spec.preDNAT ? 'preDNAT' : 'normal';
  if (kind === 'workload') return own === 'normal' && hook === 'normal';
  if (hook === 'forward') return own === 'normal' && spec.applyOnForward === true;
  return own === hook;
}

/** Tiers by order, then by name; one that policies name and that is not there comes last, and is closed. */
function placeTiers({ tiers, policies }: PolicyInputs): PlacedTier[] {
  const byTier = Map.groupBy(policies, ({ spec }) => spec.tier);
  const known = new Map<string, Partial<Tier['spec']>>([
    ...Object.entries(BUILT_IN_TIERS),
    ...tiers.map(({ metadata, spec }): [string, Tier['spec']] => [metadata.name, spec]),
  ]);
  const names = new Set([...known.keys(), ...byTier.keys()]);
  return Array.from(names, (name): PlacedTier => {
    const { order = Number.POSITIVE_INFINITY, defaultAction = 'Deny' } = known.get(name) ?? {};
    const placed = placePolicies(byTier.get(name) ?? []);
    return { name, order, defaultAction, policies: placed, missing: !known.has(name) };
  }).toSorted((a, b) => compareOrders(a.order, b.order) || compareText(a.name, b.name));
}

/** Policies of one tier by order, then by name; kind and namespace break ties. */
function placePolicies(policies: readonly Policy[]): PlacedPolicy[] {
  return policies
    .toSorted(
      (a, b) =>
        compareOrders(a.spec.order, b.spec.order) ||
        compareText(a.metadata.name, b.metadata.name) ||
        compareText(a.kind, b.kind) ||
        compareText(a.metadata.namespace ?? '', b.metadata.namespace ?? ''),
    )
    .map((policy) => ({ policy, name: policyName(policy), selector: policySelector(policy) }));
}

function policyName({ kind, metadata: { namespace, name } }: Policy): string {
  return `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;
}

/** What has no order comes last. */
function compareOrders(a = Number.POSITIVE_INFINITY, b = Number.POSITIVE_INFINITY): number {
  return a === b ? 0 : a - b;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
