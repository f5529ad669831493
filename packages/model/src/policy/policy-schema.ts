import { z } from 'zod';
import { fallback, float64, selector } from '../scalars.ts';
import { policyRule } from './rule-schema.ts';

const policyType = z.enum(['Ingress', 'Egress']);

/** Which traffic a policy is about: to the endpoints it selects, or from them. */
export type PolicyType = z.infer<typeof policyType>;

/** Fields of policies of every kind. */
export const policyFields = {
  tier: z.string().default('default').describe('The tier it is in.'),
  // Not set: after all that have one.
  order: float64.optional().describe('Lower ones come first within the tier; absent: last.'),
  selector: selector.optional().describe('Endpoints that it is about; absent: all.'),
  serviceAccountSelector: selector
    .optional()
    .describe('Only workloads whose service account has these labels.'),
  types: z
    .array(policyType)
    .optional()
    .meta({ default: 'what ingress and egress are set for; Ingress if neither is' })
    .describe('Directions that it decides about.'),
  ingress: z
    .array(policyRule)
    .optional()
    .describe('Rules for what comes in; the first that matches decides.'),
  egress: z.array(policyRule).optional().describe('Rules for what goes out.'),
  performanceHints: z
    .array(z.enum(['AssumeNeededOnEveryNode']))
    .optional()
    .describe('AssumeNeededOnEveryNode: prepared on nodes where nothing is selected yet.'),
} as const;

/** Fields that only policies without a namespace have. Not set is false: Calico does not write it either. */
export const globalPolicyFields = {
  namespaceSelector: selector.optional().describe('Only workloads in these namespaces.'),
  doNotTrack: fallback(z.boolean(), false).describe(
    'Decides before conntrack: for traffic without state.',
  ),
  preDNAT: fallback(z.boolean(), false).describe('Decides before destination NAT.'),
  applyOnForward: fallback(z.boolean(), false).describe(
    'Whether it is also about traffic that the host forwards.',
  ),
} as const;

/** What a staged policy stands for: the policy to be, its removal, or neither. Only `Set` and `Delete` mean something. */
export const stagedAction = z
  .enum(['Set', 'Delete', 'Learn', 'Ignore'])
  .default('Set')
  .describe('Set: the policy to be. Delete: the removal of the one of its name.');

interface Typed {
  readonly types?: readonly PolicyType[] | undefined;
  readonly ingress?: readonly unknown[] | undefined;
  readonly egress?: readonly unknown[] | undefined;
  readonly stagedAction?: string;
}

/** A spec with its types: as given, or what its rules are for. A staged removal has none. */
export function withTypes<S extends Typed>(spec: S): S {
  const { types: given, ...rest } = spec;
  if (given && given.length > 0) return spec;
  return spec.stagedAction === 'Delete' ? (rest as Typed as S) : { ...spec, types: typesOf(spec) };
}

function typesOf({ ingress = [], egress = [] }: Typed): PolicyType[] {
  if (egress.length === 0) return ['Ingress'];
  return ingress.length === 0 ? ['Egress'] : ['Ingress', 'Egress'];
}
