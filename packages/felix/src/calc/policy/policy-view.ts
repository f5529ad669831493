import {
  DEFAULT_ALLOW_PROFILE,
  type Expression,
  type FelixConfiguration,
  matches,
  networkSetLabels,
  type Profile,
  policySelector,
} from '@overland/model';
import { hostAddressesOf, type OutgoingNat, outgoingNatOf } from '../outgoing-nat.ts';
import type { ActiveRule } from './active-rule.ts';
import { AddressSets, type Labelled } from './address-sets.ts';
import { hostEndpointOf, type PolicyEndpoint, workloadEndpointOf } from './endpoint.ts';
import { felixSpecOf, type HostRules, hostRulesOf } from './host-rules.ts';
import {
  comparePolicies,
  compareTiers,
  isAskedAt,
  type Policy,
  placeTier,
  type TierPlace,
} from './placement.ts';
import type { PolicyInputs } from './policy-inputs.ts';
import { listName, policyList, profileList, profileListName } from './rule-list.ts';
import { UnusableNetworkSets } from './unusable-network-set.ts';

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

interface PlacedPolicy {
  readonly policy: Policy;
  readonly selector: Expression;
}

interface FilledTier extends TierPlace {
  readonly policies: readonly PlacedPolicy[];
}

/** Policies of one snapshot of the cluster, and whom they are about. Works out what is asked for, and keeps it. */
export class PolicyView {
  readonly endpoints: readonly PolicyEndpoint[];
  readonly sets: AddressSets;
  readonly #tiers: readonly FilledTier[];
  readonly #profiles: ReadonlyMap<string, Profile>;
  readonly #inputs: PolicyInputs;
  readonly #ruleLists = new Map<string, RuleList>();

  constructor(inputs: PolicyInputs) {
    const profiles = [...inputs.profiles, DEFAULT_ALLOW_PROFILE];
    this.#profiles = new Map(profiles.map((profile) => [profile.metadata.name, profile]));
    const profileLabels = (name: string) => this.#profiles.get(name)?.spec.labelsToApply;
    this.endpoints = [
      ...inputs.workloads.map((endpoint) => workloadEndpointOf(endpoint, profileLabels)),
      ...inputs.hostEndpoints.map((endpoint) => hostEndpointOf(endpoint, profileLabels)),
    ];
    const unusable = inputs.networkSets.filter(({ fault }) => fault !== undefined);
    const networkSets: Labelled[] = inputs.networkSets.map((set) => ({
      labels: networkSetLabels(set, profileLabels),
      nets: set.spec.nets ?? [],
      ports: [],
    }));
    this.sets = new AddressSets(
      [...this.endpoints, ...networkSets],
      new UnusableNetworkSets(new Map(unusable.map((set, i) => [`${i}`, set])), profileLabels),
    );
    this.#tiers = placeTiers(inputs);
    this.#inputs = inputs;
  }

  /** What decides about an endpoint's traffic, as its labels are. */
  policyOf(
    endpoint: PolicyEndpoint,
    direction: Direction,
    hook: PolicyHook = 'normal',
  ): EndpointPolicy {
    const tiers = this.#tiers.flatMap(({ policies, ...tier }) => {
      const applied = policies.filter(
        ({ policy, selector }) =>
          isAskedAt(policy, endpoint.kind, hook) &&
          policy.spec.types?.includes(direction === 'ingress' ? 'Ingress' : 'Egress') &&
          matches(selector, endpoint.labels),
      );
      if (applied.length === 0) return [];
      const lists = applied.map(({ policy }) =>
        this.#remembered(direction, listName(policy), (wanted) => policyList(policy, tier, wanted)),
      );
      return [{ name: tier.name, defaultAction: tier.defaultAction, policies: lists }];
    });
    const profiles = hook === 'normal' ? endpoint.profiles : [];
    return { tiers, profiles: profiles.map((name) => this.#profileOf(name, direction)) };
  }

  /** What holds on a host whatever its policies say. */
  hostRulesOf(node: string): HostRules {
    return hostRulesOf(this.#felixSpecOf(node));
  }

  /** `undefined` if no pool wants it. */
  outgoingNatOf(node: string): OutgoingNat | undefined {
    const { pools = [], nodes } = this.#inputs;
    return outgoingNatOf(pools, nodes.map(hostAddressesOf), this.#felixSpecOf(node));
  }

  #felixSpecOf(name: string): FelixConfiguration['spec'] {
    const { nodes, felixConfigurations } = this.#inputs;
    const labels = nodes.find(({ metadata }) => metadata.name === name)?.metadata.labels ?? {};
    return felixSpecOf(felixConfigurations, { name, labels });
  }

  #profileOf(profile: string, direction: Direction): RuleList {
    return this.#remembered(direction, profileListName(profile), (wanted) =>
      profileList(profile, this.#profiles.get(profile), wanted),
    );
  }

  #remembered(
    direction: Direction,
    name: string,
    make: (wanted: { direction: Direction; sets: AddressSets }) => RuleList,
  ): RuleList {
    const key = `${direction} ${name}`;
    const known = this.#ruleLists.get(key);
    if (known) return known;
    const list = make({ direction, sets: this.sets });
    this.#ruleLists.set(key, list);
    return list;
  }
}

/** Tiers by order, each with its policies; one that policies name and that is not there comes last, and is closed. */
function placeTiers({ tiers, policies }: PolicyInputs): FilledTier[] {
  const byTier = Map.groupBy(policies, ({ spec }) => spec.tier);
  const specs = new Map(tiers.map(({ metadata, spec }) => [metadata.name, spec]));
  return Array.from(byTier, ([name, own]): FilledTier => {
    const placed = own
      .toSorted(comparePolicies)
      .map((policy) => ({ policy, selector: policySelector(policy) }));
    return { ...placeTier(name, specs.get(name)), policies: placed };
  }).toSorted(compareTiers);
}
