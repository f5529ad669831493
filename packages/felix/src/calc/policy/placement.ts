import {
  BUILT_IN_TIERS,
  type GlobalNetworkPolicy,
  type NetworkPolicy,
  type Tier,
} from '@overland/model';
import type { PolicyHook } from './policy-view.ts';

/** A policy that is enforced, or one that cannot be read: see `unusablePolicy`. */
export type Policy = (NetworkPolicy | GlobalNetworkPolicy) & {
  /** Why its rules cannot be used; then it is closed for whom it selects. */
  readonly fault?: string | undefined;
};

/** Where a tier stands among the others. */
export interface TierPlace {
  readonly name: string;
  readonly order: number;
  readonly defaultAction: 'Deny' | 'Pass';
  /** Policies name it, and it is not there. */
  readonly isMissing: boolean;
}

/** @param spec Of the tier that is stored with the name, if there is one. */
export function placeTier(name: string, spec: Tier['spec'] | undefined): TierPlace {
  const builtIn = Object.entries(BUILT_IN_TIERS).find(([known]) => known === name)?.[1];
  const known: Partial<Tier['spec']> | undefined = spec ?? builtIn;
  const { order = Number.POSITIVE_INFINITY, defaultAction = 'Deny' } = known ?? {};
  return { name, order, defaultAction, isMissing: known === undefined };
}

/** Tiers by order, then by name; one that is not there comes last. */
export function compareTiers(a: TierPlace, b: TierPlace): number {
  return compareOrders(a.order, b.order) || compareText(a.name, b.name);
}

/** Policies of one tier by order, then by name; kind and namespace break ties. */
export function comparePolicies(a: Policy, b: Policy): number {
  return (
    compareOrders(a.spec.order, b.spec.order) ||
    compareText(a.metadata.name, b.metadata.name) ||
    compareText(a.kind, b.kind) ||
    compareText(a.metadata.namespace ?? '', b.metadata.namespace ?? '')
  );
}

/** Whether a policy is asked about endpoints of this kind at this place. calico.md section 5.2. */
export function isAskedAt(policy: Policy, kind: 'workload' | 'host', hook: PolicyHook): boolean {
  const spec: Partial<GlobalNetworkPolicy['spec']> =
    policy.kind === 'GlobalNetworkPolicy' ? policy.spec : {};
  const own = spec.doNotTrack ? 'untracked' : spec.preDNAT ? 'preDNAT' : 'normal';
  if (kind === 'workload') return own === 'normal' && hook === 'normal';
  if (hook === 'forward') return own === 'normal' && spec.applyOnForward === true;
  return own === hook;
}

/** What has no order comes last. */
function compareOrders(a = Number.POSITIVE_INFINITY, b = Number.POSITIVE_INFINITY): number {
  return a === b ? 0 : a - b;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
