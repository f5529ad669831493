import type { IpAddress } from '@overland/net';
import type { HostFilter } from './host-filter.ts';
import type { SetId } from './policy/active-rule.ts';
import type { Direction, RuleList } from './policy/policy-view.ts';
import type { WorkloadGuard } from './workload-guard.ts';

/**
 * What this host's packet filter should hold: the output of `calc`, the input of every backend. Plain data, fit for
 * `postMessage`. Whatever an endpoint or a list refers to is there.
 */
export interface PolicyState {
  readonly sets: ReadonlyMap<SetId, SetState>;
  /** Rules of policies and profiles, shared by all endpoints that name them. */
  readonly lists: ReadonlyMap<ListId, RuleList>;
  /** Own workload endpoints by interface name. */
  readonly endpoints: ReadonlyMap<string, EndpointFilter>;
  /** Absent: nothing but workloads is filtered. */
  readonly host?: HostFilter | undefined;
}

/** A list of rules for one direction: {@link listIdOf}. */
export type ListId = string;

/**
 * Members are canonical text, so that sets can be compared: `10.65.0.1`, `10.0.0.0/8`; a prefix of full length is
 * written as an address. Of ports: `10.65.0.1 . 6 . 80`, address, protocol number, port.
 */
export interface SetState {
  /** `addresses`: all members are single ones, so that each costs the same however many there are; `nets`: some are prefixes. */
  readonly kind: 'addresses' | 'nets' | 'ports';
  readonly members: ReadonlySet<string>;
}

/** What holds at one workload's interface. */
export interface EndpointFilter {
  /** `NAMESPACE/NAME`. */
  readonly name: string;
  /** The workload's own: what was let through to and from them is looked at again when the rules change. */
  readonly addresses: readonly IpAddress[];
  readonly ingress: EndpointPolicyRef;
  readonly egress: EndpointPolicyRef;
  /** What it would be asked about with the staged policies enforced; absent: the same. Nothing of it is enforced. */
  readonly staged?: Readonly<Record<Direction, EndpointPolicyRef>> | undefined;
  /** Absent: nothing besides. */
  readonly guard?: WorkloadGuard | undefined;
}

/** All that decides about an endpoint's traffic in one direction, in order. */
export interface EndpointPolicyRef {
  readonly tiers: readonly TierRef[];
  readonly profiles: readonly ListId[];
}

interface TierRef {
  readonly name: string;
  readonly defaultAction: 'Deny' | 'Pass';
  readonly lists: readonly ListId[];
}

/** Names a list in {@link PolicyState.lists}: `ingress NetworkPolicy prod/web`. */
export function listIdOf(direction: Direction, { name }: Pick<RuleList, 'name'>): ListId {
  return `${direction} ${name}`;
}

/** The lists that an endpoint is asked about, in order. */
export function listsOf({ ingress, egress }: EndpointFilter): ListId[] {
  return [ingress, egress].flatMap(listsOfRef);
}

/** The lists that it is asked about, and those that it would be asked about. */
export function listsWithStagedOf(filter: EndpointFilter): ListId[] {
  return [...listsOf(filter), ...(filter.staged ? listsOf({ ...filter, ...filter.staged }) : [])];
}

/** The lists that are asked at one place, in order. */
export function listsOfRef({ tiers, profiles }: EndpointPolicyRef): ListId[] {
  return [...tiers.flatMap(({ lists }) => lists), ...profiles];
}

/** The sets that rules of a list ask about. */
export function setsOf({ rules }: RuleList): SetId[] {
  return rules.flatMap(({ source, destination }) =>
    [source, destination].flatMap(({ sets, notSets, ports, notPorts }) => [
      ...sets,
      ...notSets,
      ...(ports?.sets ?? []),
      ...(notPorts?.sets ?? []),
    ]),
  );
}
