import {
  type AnyResource,
  DEFAULT_ALLOW_PROFILE,
  type FelixConfiguration,
  type HostEndpoint,
  type IpPool,
  type Kind,
  type Labels,
  type Node,
  type Profile,
  type ResourceName,
  type ResourceOfKind,
  type Tier,
  type WorkloadEndpoint,
} from '@overland/model';
import type { IpAddress } from '@overland/net';
import type { SetId } from '../policy/active-rule.ts';
import type { RuleSets, SetDemand, SetTexts } from '../policy/address-sets.ts';
import { hostEndpointOf, type PolicyEndpoint, workloadEndpointOf } from '../policy/endpoint.ts';
import { type Policy, placeTier } from '../policy/placement.ts';
import type { StagedPolicy } from '../policy/policy-inputs.ts';
import type { Direction, RuleList } from '../policy/policy-view.ts';
import { policyList, profileList, profileListName } from '../policy/rule-list.ts';
import { stagedChange } from '../policy/staged.ts';
import { type NetworkSetOrFault, UnusableNetworkSets } from '../policy/unusable-network-set.ts';
import type { PolicyChange, SetChange } from '../policy-change.ts';
import type { ListId, PolicyState } from '../policy-state.ts';
import { ActiveLists } from './active-lists.ts';
import { ActiveSets } from './active-sets.ts';
import type { AddressHolder } from './address-holders.ts';
import type { Work } from './label-matcher.ts';
import { OwnEndpoints } from './own-endpoints.ts';
import { endpointSource, networkSetSource, noLabels } from './set-source.ts';

/** What is told at a time. */
export interface TellOptions {
  /** Whether the resources are all that there are. */
  readonly synced: boolean;
  /** About how many members of sets a change may speak of; absent: all. */
  readonly members?: number;
}

/**
 * What a node's packet filter should hold, kept while resources change: the same as `policyStateOf` works out from
 * scratch, by work in proportion to what has changed.
 *
 * Depends on the resources that there are, not on how they came: in any order, twice, or with others between. What
 * depends on resources that may still come is worked out in `step`, so that much can change at the cost of the end.
 */
export class PolicyCalculation {
  readonly #profiles = new Map<string, Profile>([
    [DEFAULT_ALLOW_PROFILE.metadata.name, DEFAULT_ALLOW_PROFILE],
  ]);
  readonly #tiers = new Map<string, Tier['spec']>();
  /** Network sets that cannot be read. */
  readonly #unusableSets = new Map<string, NetworkSetOrFault>();
  readonly #unusable: UnusableNetworkSets;
  readonly #sets: ActiveSets;
  readonly #lists: ActiveLists;
  readonly #endpoints: OwnEndpoints;
  #work: Work | undefined;
  /** As it was told last with all that belongs to it. */
  #isSynced = false;

  /** @param node Whose packet filter it is. */
  constructor(node: string) {
    const labels = (profile: string): Labels | undefined =>
      this.#profiles.get(profile)?.spec.labelsToApply;
    this.#unusable = new UnusableNetworkSets(this.#unusableSets, labels);
    this.#sets = new ActiveSets(labels);
    this.#lists = new ActiveLists((id, sets) => this.#makeList(id, sets), this.#sets);
    this.#endpoints = new OwnEndpoints(node, labels, { tiers: this.#tiers, lists: this.#lists });
  }

  /**
   * Puts a resource in the place of the one of its kind and name; `undefined`: it is no more. Cheap: what follows from
   * it is worked out later.
   */
  update<K extends Kind>(
    kind: K,
    name: ResourceName,
    resource: ResourceOfKind<K> | undefined,
  ): void;
  update(kind: Kind, name: ResourceName, resource: AnyResource | undefined): void {
    const key = keyOf(kind, name);
    switch (kind) {
      case 'Tier':
        this.#putTier(name.name, resource as Tier | undefined);
        break;
      case 'Profile':
        this.#putProfile(name.name, resource as Profile | undefined);
        break;
      case 'NetworkPolicy':
      case 'GlobalNetworkPolicy':
        this.#endpoints.putPolicy(key, resource as Policy | undefined);
        break;
      case 'StagedNetworkPolicy':
      case 'StagedGlobalNetworkPolicy':
        this.#endpoints.putStaged(key, resource && stagedChange(resource as StagedPolicy));
        break;
      case 'WorkloadEndpoint':
        this.#putEndpoint(
          key,
          resource && workloadEndpointOf(resource as WorkloadEndpoint, noLabels),
        );
        break;
      case 'HostEndpoint':
        this.#putEndpoint(key, resource && hostEndpointOf(resource as HostEndpoint, noLabels));
        break;
      case 'FelixConfiguration':
        this.#endpoints.putConfiguration(name.name, resource as FelixConfiguration | undefined);
        break;
      case 'IPPool':
        this.#endpoints.putPool(name.name, resource as IpPool | undefined);
        break;
      case 'Node':
        this.#endpoints.putHost(name.name, resource as Node | undefined);
        break;
      case 'NetworkSet':
      case 'GlobalNetworkSet':
        this.#putNetworkSet(key, resource as NetworkSetOrFault | undefined);
        break;
      default:
    }
  }

  /**
   * Works out a part of what follows from the changes so far.
   *
   * @param units About a comparison of labels, or a member of a set, each.
   * @returns Whether there is more to do.
   */
  step(units: number): boolean {
    let left = units;
    while (left > 0) {
      this.#work ??= this.#everything();
      const { done, value } = this.#work.next();
      if (done) {
        this.#work = undefined;
        return false;
      }
      left -= value;
    }
    return true;
  }

  /**
   * Works out what is left, and tells what leads from the state told last to the one that is right now. With a limit
   * on members a change may tell of sets only, which nothing uses until the next: see {@link hasMore}.
   */
  flush({ synced, members = Number.POSITIVE_INFINITY }: TellOptions): PolicyChange {
    this.step(Number.POSITIVE_INFINITY);
    this.#lists.dropUnused();
    this.#sets.dropUnused();
    const sets = new Map<SetId, SetChange | undefined>(this.#sets.tell(members));
    if (!this.#sets.isTold) {
      // As long as nothing but sets is known, nothing may be removed for not being known.
      return { synced: this.#isSynced, sets, lists: new Map(), endpoints: new Map() };
    }
    this.#isSynced = synced;
    for (const id of this.#sets.tellGone()) sets.set(id, undefined);
    const host = this.#endpoints.tellHost();
    const [lists, endpoints] = [this.#lists.tell(), this.#endpoints.tell()];
    return { synced, sets, lists, endpoints, ...(host ? { host } : {}) };
  }

  /** The state that the changes told so far lead to, members of sets as they are now: they change with the calculation. */
  get state(): PolicyState {
    return { sets: this.#sets.states, lists: this.#lists.told, ...this.#endpoints.told };
  }

  /** What the sets of the state are, for people. */
  get setTexts(): SetTexts {
    return this.#sets;
  }

  /** Which endpoints and network sets have these addresses. Looks through all of them: not for a hot path. */
  holdersOf(addresses: Iterable<IpAddress>): Map<IpAddress, AddressHolder> {
    return this.#sets.holdersOf(addresses);
  }

  /** Whether the last `flush` has left something for another one. */
  get hasMore(): boolean {
    return !this.#sets.isTold;
  }

  *#everything(): Work {
    // Each part makes work for those after it only; changes between two steps make work for all.
    for (const parts = [this.#endpoints, this.#lists, this.#sets]; ; ) {
      const part = parts.find(({ hasWork }) => hasWork);
      if (!part) return;
      yield* part.work();
    }
  }

  #putTier(name: string, tier: Tier | undefined): void {
    if (tier) this.#tiers.set(name, tier.spec);
    else this.#tiers.delete(name);
    this.#endpoints.tierChanged(name);
  }

  #putProfile(name: string, profile: Profile | undefined): void {
    if (name === DEFAULT_ALLOW_PROFILE.metadata.name) return;
    if (profile) this.#profiles.set(name, profile);
    else this.#profiles.delete(name);
    this.#sets.parentChanged(name);
    this.#endpoints.parentChanged(name);
    this.#lists.invalidate(profileListName(name));
    // Network sets inherit labels of their namespace.
    if (this.#unusableSets.size > 0) this.#lists.invalidateAll();
  }

  /** Whether a set can be read, rules are made by. */
  #putNetworkSet(key: string, set: NetworkSetOrFault | undefined): void {
    this.#sets.put(key, networkSetSource(set));
    const wasUnusable = this.#unusableSets.delete(key);
    if (set?.fault !== undefined) this.#unusableSets.set(key, set);
    if (wasUnusable || set?.fault !== undefined) this.#lists.invalidateAll();
  }

  #putEndpoint(key: string, endpoint: PolicyEndpoint | undefined): void {
    this.#sets.put(key, endpoint && endpointSource(endpoint));
    this.#endpoints.put(key, endpoint);
  }

  #makeList(id: ListId, { demand }: SetDemand): RuleList {
    const unreadable: RuleSets['unreadable'] = (selector) => this.#unusable.selectedBy(selector);
    const sets = { demand, hasUnreadable: this.#unusable.areThere, unreadable };
    const direction: Direction = id.startsWith('ingress ') ? 'ingress' : 'egress';
    const name = id.slice(direction.length + 1);
    const policy = this.#endpoints.policy(name);
    if (policy) {
      const { tier } = policy.spec;
      const place = placeTier(tier, this.#tiers.get(tier));
      // By the name of the list: a staged policy has that of what it would be.
      return { ...policyList(policy, place, { direction, sets }), name };
    }
    const profile = name.slice(profileListName('').length);
    return profileList(profile, this.#profiles.get(profile), { direction, sets });
  }
}

function keyOf(kind: Kind, { namespace, name }: ResourceName): string {
  return `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;
}
