import type { Rule } from '../kind.ts';
import { ifReadable } from '../readable-parts.ts';
import { tierName } from './policy-names.ts';
import { RULE_CHECKS } from './rule-checks.ts';
import type { PolicyRule } from './rule-schema.ts';

const MAX_RULES = 1024;

type Direction = 'ingress' | 'egress';

interface WithRules {
  readonly spec: { readonly [D in Direction]?: readonly PolicyRule[] | undefined };
}

interface AnyPolicy extends WithRules {
  readonly spec: WithRules['spec'] & {
    readonly tier?: string;
    readonly types?: readonly string[] | undefined;
    readonly doNotTrack?: boolean | undefined;
    readonly preDNAT?: boolean | undefined;
    readonly applyOnForward?: boolean | undefined;
    readonly stagedAction?: string;
  };
}

/** The side of a rule that names who is at the other end. */
const PEER = { ingress: 'source', egress: 'destination' } as const;
const OWN = { ingress: 'destination', egress: 'source' } as const;

/** What the rules of profiles must keep. */
export const profileChecks: readonly Rule<WithRules>[] = RULE_CHECKS.map((check) =>
  onRules(`ingress[].${check.about}`, check.rule, check.broken),
);

/** What policies of every kind must keep. */
export const policyChecks: readonly Rule<AnyPolicy>[] = [
  { path: 'spec.tier', rule: tierName.rule, check: ({ spec }) => tierName.holds(spec.tier ?? '') },
  {
    path: 'spec.types',
    rule: 'must not name a type twice',
    check: ({ spec: { types = [] } }) => new Set(types).size === types.length,
  },
  {
    path: 'spec.ingress',
    rule: `must have at most ${MAX_RULES} items`,
    check: ({ spec }) =>
      (['ingress', 'egress'] as const).flatMap((direction) =>
        (spec[direction]?.length ?? 0) > MAX_RULES ? [`spec.${direction}`] : [],
      ),
  },
  ...profileChecks,
  onRules(
    'egress[].http',
    'must not be set: it is enforced where traffic arrives',
    ({ http }, direction) => (http && direction === 'egress' ? ['http'] : []),
  ),
  onRules(
    'ingress[].destination.services',
    'must be set in the source of ingress rules and the destination of egress rules only',
    (rule, direction) => (rule[OWN[direction]]?.services ? [`${OWN[direction]}.services`] : []),
  ),
];

/** What policies without a namespace must keep besides. */
export const globalPolicyChecks: readonly Rule<AnyPolicy>[] = [
  onRules(
    'ingress[].source.services.namespace',
    'is required: a policy without a namespace has none to look in',
    (rule, direction) => {
      const { services } = rule[PEER[direction]] ?? {};
      return services && !services.namespace ? [`${PEER[direction]}.services.namespace`] : [];
    },
  ),
  {
    path: 'spec.preDNAT',
    rule: 'must not be set together with spec.doNotTrack',
    check: ({ spec }) => !(spec.preDNAT && spec.doNotTrack),
  },
  {
    path: 'spec.applyOnForward',
    rule: 'must be true with spec.doNotTrack or spec.preDNAT',
    check: ({ spec }) => !(spec.preDNAT || spec.doNotTrack) || spec.applyOnForward === true,
  },
  {
    path: 'spec.egress',
    rule: 'must have no items with spec.preDNAT, which is about what arrives',
    check: ({ spec }) => !spec.preDNAT || !spec.egress?.length,
  },
  {
    path: 'spec.types',
    rule: 'must not be Egress with spec.preDNAT, which is about what arrives',
    check: ({ spec }) => !spec.preDNAT || !spec.types?.includes('Egress'),
  },
];

/** What staged policies must keep besides. */
export const stagedPolicyChecks: readonly Rule<{
  readonly spec: { readonly stagedAction: string };
}>[] = [
  {
    path: 'spec',
    rule: 'must be empty with stagedAction Delete, which only names the policy to remove',
    check: ({ spec }) =>
      spec.stagedAction !== 'Delete'
        ? true
        : Object.entries(spec).flatMap(([field, value]) =>
            field === 'stagedAction' || field === 'tier' || isEmpty(value) ? [] : [`spec.${field}`],
          ),
  },
];

/** Nothing is set: Go's zero values. `order: 0` is a value. */
function isEmpty(value: unknown): boolean {
  if (value === undefined || value === '' || value === false) return true;
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}

/**
 * A check of single rules, as a rule of the whole object.
 *
 * @param about Which field it is about, for documentation.
 */
function onRules(
  about: string,
  rule: string,
  broken: (rule: PolicyRule, direction: Direction) => readonly string[],
): Rule<WithRules> {
  return {
    path: `spec.${about}`,
    rule,
    check: ({ spec }) =>
      (['ingress', 'egress'] as const).flatMap((direction) => {
        const rules = ifReadable(() => spec[direction]) ?? [];
        // A rule that cannot be read says nothing about the others.
        return Array.from({ length: rules.length }, (_, i) => {
          const paths = ifReadable(() => (rules[i] ? broken(rules[i], direction) : []));
          return (paths ?? []).map((path) => `spec.${direction}[${i}].${path}`);
        }).flat();
      }),
  };
}
