import {
  type FelixConfiguration,
  type IpPool,
  type Labels,
  type Node,
  type ProfileLabels,
  policySelector,
  sameJson,
} from '@overland/model';
import type { Prefix } from '@overland/net';
import type { HostFilter } from '../host-filter.ts';
import { hostFilterOf } from '../host-filter-of.ts';
import { isWorkloadInterface } from '../interface-name.ts';
import { hostAddressesOf, outgoingNatOf } from '../outgoing-nat.ts';
import type { PolicyEndpoint } from '../policy/endpoint.ts';
import { felixSpecOf, hostRulesOf } from '../policy/host-rules.ts';
import type { Policy } from '../policy/placement.ts';
import type { Direction, PolicyHook } from '../policy/policy-view.ts';
import { listName } from '../policy/rule-list.ts';
import type { StagedChange } from '../policy/staged.ts';
import {
  type EndpointFilter,
  type ListId,
  listsOfRef,
  listsWithStagedOf,
  type PolicyState,
} from '../policy-state.ts';
import { endpointFilterOf } from '../policy-state-of.ts';
import type { ActiveLists } from './active-lists.ts';
import {
  classPolicyAt,
  type PlacedPolicy,
  type TierSpecs,
  type WorkloadPolicy,
  workloadPolicyOf,
} from './class-policy.ts';
import type { LabelClass } from './label-class.ts';
import { LabelMatcher, type Work } from './label-matcher.ts';

type EndpointClass = LabelClass<PlacedPolicy, OwnEndpoint>;

/** What a filter is for: an interface of workloads, or the host. */
type Target = string | typeof HOST;
const HOST = Symbol('host');

interface OwnEndpoint {
  readonly endpoint: PolicyEndpoint;
  readonly target: Target;
  readonly labelClass: EndpointClass;
}

/** Policies are put in order, and compared with what was there. */
const UNITS_PER_ENDPOINT = 100;

/** The endpoints of a host, its own and those of its workloads: what each is asked about. */
export class OwnEndpoints {
  readonly #node: string;
  readonly #tiers: TierSpecs;
  readonly #lists: ActiveLists;
  readonly #policies = new Map<string, PlacedPolicy>();
  /** By the names of their lists: one each, but for two keys of one name. */
  readonly #byName = new Map<string, Set<PlacedPolicy>>();
  /** By staged policies, by their keys: names of what they would take the place of. */
  readonly #replaced = new Map<string, string>();
  readonly #configurations = new Map<string, FelixConfiguration>();
  readonly #pools = new Map<string, IpPool>();
  /** Of this host's Node. */
  #labels: Labels = {};
  readonly #hosts = new Map<string, readonly Prefix[]>();
  readonly #endpoints = new Map<string, OwnEndpoint>();
  /** Endpoints of one interface are one, but for a mistake. */
  readonly #byTarget = new Map<Target, Set<OwnEndpoint>>();
  readonly #matcher: LabelMatcher<PlacedPolicy, OwnEndpoint>;
  /** Filters of interfaces of workloads that have the same labels, for each direction. */
  readonly #workloadPolicies = new Map<EndpointClass, WorkloadPolicy>();
  /** What may have another filter. */
  readonly #stale = new Set<Target>([HOST]);
  readonly #filters = new Map<string, EndpointFilter>();
  #host: HostFilter | undefined;
  /** Lists that the filter of each is asked about. */
  readonly #asked = new Map<Target, ReadonlySet<ListId>>();
  readonly #changed = new Set<string>();
  readonly #told = new Map<string, EndpointFilter>();
  #toldHost: HostFilter | undefined;

  constructor(
    node: string,
    parentLabels: ProfileLabels,
    { tiers, lists }: { readonly tiers: TierSpecs; readonly lists: ActiveLists },
  ) {
    this.#node = node;
    this.#tiers = tiers;
    this.#lists = lists;
    const changed = (_: PlacedPolicy, labelClass: EndpointClass) => this.#outdate(labelClass);
    this.#matcher = new LabelMatcher(parentLabels, { matched: changed, unmatched: changed });
  }

  /**
   * Puts an endpoint in the place of the one with its key; `undefined`, one of another node, or a workload without an
   * interface of its own: nothing.
   *
   * @param endpoint With its own labels.
   */
  put(key: string, endpoint: PolicyEndpoint | undefined): void {
    const before = this.#endpoints.get(key);
    const after = endpoint?.node === this.#node ? this.#placed(endpoint) : undefined;
    if (after) {
      this.#endpoints.set(key, after);
      after.labelClass.items.add(after);
      const others = this.#byTarget.get(after.target) ?? new Set();
      this.#byTarget.set(after.target, others.add(after));
      this.#stale.add(after.target);
    } else this.#endpoints.delete(key);
    if (!before) return;
    const { target, labelClass } = before;
    const others = this.#byTarget.get(target);
    others?.delete(before);
    if (others?.size === 0) this.#byTarget.delete(target);
    this.#stale.add(target);
    this.#matcher.leave(before, labelClass);
    if (labelClass.items.size === 0) this.#workloadPolicies.delete(labelClass);
  }

  /**
   * Puts a policy in the place of the one with its key, which need not be the name that people gave it: older versions of
   * Calico have stored others.
   */
  putPolicy(key: string, policy: Policy | undefined, isStaged = false): void {
    const before = this.#policies.get(key);
    const name = policy && `${isStaged ? 'Staged' : ''}${listName(policy)}`;
    if (before) this.#lists.invalidate(before.name);
    if (name !== undefined) this.#lists.invalidate(name);
    if (before && policy && sameJson(scopeOf(before.policy), scopeOf(policy))) {
      before.policy = policy;
      return;
    }
    if (before) this.#removePolicy(key, before);
    if (!policy || name === undefined) return;
    const placed = { key, name, isStaged, policy, expression: policySelector(policy) };
    this.#policies.set(key, placed);
    this.#byName.set(name, (this.#byName.get(name) ?? new Set()).add(placed));
    this.#matcher.add(placed);
  }

  /** Puts a staged policy in the place of the one with its key; `undefined`: nothing is staged there. */
  putStaged(key: string, change: StagedChange | undefined): void {
    const before = this.#replaced.get(key);
    const after = change?.replaces;
    if (after !== undefined) this.#replaced.set(key, after);
    else this.#replaced.delete(key);
    if (before !== after) {
      this.#outdateWhere(({ name }) => name === before || name === after);
    }
    this.putPolicy(key, change?.policy, true);
  }

  /** @param name `NetworkPolicy prod/web`. */
  policy(name: string): Policy | undefined {
    const [first] = [...(this.#byName.get(name) ?? [])].toSorted((a, b) =>
      a.key < b.key ? -1 : 1,
    );
    return first?.policy;
  }

  putConfiguration(name: string, configuration: FelixConfiguration | undefined): void {
    if (configuration) this.#configurations.set(name, configuration);
    else this.#configurations.delete(name);
    this.#stale.add(HOST);
  }

  putPool(name: string, pool: IpPool | undefined): void {
    if (pool) this.#pools.set(name, pool);
    else this.#pools.delete(name);
    this.#stale.add(HOST);
  }

  /** Takes over addresses and labels of a host of the cluster; `undefined`: it is no more. */
  putHost(name: string, node: Node | undefined): void {
    const { labels = {} } = node?.metadata ?? {};
    if (name === this.#node && !sameJson(labels, this.#labels)) {
      this.#labels = labels;
      this.#stale.add(HOST);
    }
    const addresses = node && hostAddressesOf(node);
    if (sameJson(addresses, this.#hosts.get(name))) return;
    if (addresses) this.#hosts.set(name, addresses);
    else this.#hosts.delete(name);
    this.#stale.add(HOST);
  }

  parentChanged(profile: string): void {
    this.#matcher.parentChanged(profile);
  }

  /** Takes note that a tier has changed, come or gone. */
  tierChanged(tier: string): void {
    this.#outdateWhere(({ policy }) => policy.spec.tier === tier);
    for (const { name, policy } of this.#policies.values()) {
      if (policy.spec.tier === tier) this.#lists.invalidate(name);
    }
  }

  get hasWork(): boolean {
    return this.#matcher.hasWork || this.#stale.size > 0;
  }

  *work(): Work {
    yield* this.#matcher.work();
    for (const target of this.#stale) {
      this.#stale.delete(target);
      if (target === HOST) this.#refilterHost();
      else this.#refilter(target);
      yield UNITS_PER_ENDPOINT;
    }
  }

  /** Filters as they were told last. */
  get told(): Pick<PolicyState, 'endpoints' | 'host'> {
    return { endpoints: this.#told, host: this.#toldHost };
  }

  /** What has changed since the last call; `undefined`: the interface is no workload's any more. */
  tell(): Map<string, EndpointFilter | undefined> {
    const changes = new Map<string, EndpointFilter | undefined>();
    for (const interfaceName of this.#changed) {
      const filter = this.#filters.get(interfaceName);
      if (sameJson(filter, this.#told.get(interfaceName))) continue;
      changes.set(interfaceName, filter);
      if (filter) this.#told.set(interfaceName, filter);
      else this.#told.delete(interfaceName);
    }
    this.#changed.clear();
    return changes;
  }

  /** What holds on the host itself, if it has changed since the last call. */
  tellHost(): HostFilter | undefined {
    if (sameJson(this.#host, this.#toldHost)) return undefined;
    this.#toldHost = this.#host;
    return this.#host;
  }

  #placed(endpoint: PolicyEndpoint): OwnEndpoint | undefined {
    const { kind, interfaceName = '', labels, profiles } = endpoint;
    if (kind === 'workload' && !isWorkloadInterface(interfaceName)) return undefined;
    const target = kind === 'host' ? HOST : interfaceName;
    return { endpoint, target, labelClass: this.#matcher.classOf(labels, profiles) };
  }

  #removePolicy(key: string, placed: PlacedPolicy): void {
    this.#policies.delete(key);
    const namesakes = this.#byName.get(placed.name);
    namesakes?.delete(placed);
    if (namesakes?.size === 0) this.#byName.delete(placed.name);
    for (const labelClass of this.#matcher.delete(placed)) this.#outdate(labelClass);
  }

  /** Endpoints that such a policy selects. */
  #outdateWhere(isConcerned: (policy: PlacedPolicy) => boolean): void {
    const classes = new Set(Array.from(this.#endpoints.values(), (own) => own.labelClass));
    for (const labelClass of classes) {
      if ([...labelClass.matches].some(isConcerned)) this.#outdate(labelClass);
    }
  }

  #outdate(labelClass: EndpointClass): void {
    this.#workloadPolicies.delete(labelClass);
    for (const { target } of labelClass.items) this.#stale.add(target);
  }

  #refilter(interfaceName: string): void {
    const [own] = [...(this.#byTarget.get(interfaceName) ?? [])].toSorted((a, b) =>
      a.endpoint.name < b.endpoint.name ? -1 : 1,
    );
    const policy = own && this.#workloadPolicy(own.labelClass);
    const filter = policy && {
      ...endpointFilterOf(own.endpoint, policy.enforced),
      ...(policy.staged && { staged: policy.staged }),
    };
    if (filter) this.#filters.set(interfaceName, filter);
    else this.#filters.delete(interfaceName);
    this.#ask(interfaceName, filter ? listsWithStagedOf(filter) : []);
    this.#changed.add(interfaceName);
  }

  #refilterHost(): void {
    const own = new Map(
      Array.from(this.#byTarget.get(HOST) ?? [], ({ endpoint, labelClass }) => [
        endpoint,
        labelClass,
      ]),
    );
    const asked: ListId[] = [];
    const refer = (endpoint: PolicyEndpoint, direction: Direction, hook: PolicyHook) => {
      const { matches: all = [], parents = [] } = own.get(endpoint) ?? {};
      const matches = [...all].filter(({ isStaged }) => !isStaged);
      const place = { kind: 'host', direction, hook } as const;
      const policy = classPolicyAt(place, { matches, parents }, this.#tiers);
      asked.push(...listsOfRef(policy));
      return policy;
    };
    const configurations = [...this.#configurations.values()];
    const spec = felixSpecOf(configurations, { name: this.#node, labels: this.#labels });
    const rules = hostRulesOf(spec);
    const outgoingNat = outgoingNatOf([...this.#pools.values()], [...this.#hosts.values()], spec);
    this.#host = hostFilterOf({ ...rules, outgoingNat }, [...own.keys()], refer);
    this.#ask(HOST, asked);
  }

  #workloadPolicy(labelClass: EndpointClass): WorkloadPolicy {
    const known = this.#workloadPolicies.get(labelClass);
    if (known) return known;
    const policy = workloadPolicyOf(labelClass, new Set(this.#replaced.values()), this.#tiers);
    this.#workloadPolicies.set(labelClass, policy);
    return policy;
  }

  /** Counts the lists that a filter is asked about, instead of those that it was asked about. */
  #ask(target: Target, ids: readonly ListId[]): void {
    const before = this.#asked.get(target);
    const after = new Set(ids);
    for (const id of after) this.#lists.acquire(id);
    for (const id of before ?? []) this.#lists.release(id);
    if (after.size > 0) this.#asked.set(target, after);
    else this.#asked.delete(target);
  }
}

/** What decides whom a policy is about, and when it is asked. */
function scopeOf({ metadata: { namespace, name }, spec }: Policy): object {
  const { ingress: _, egress: __, ...scope } = spec;
  return { ...scope, namespace, name };
}
