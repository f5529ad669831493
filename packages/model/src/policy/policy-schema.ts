import { z } from 'zod';
import { fallback, selector } from '../scalars.ts';
import { policyRule } from './rule-schema.ts';

const policyType = z.enum(['Ingress', 'Egress']);

/** Which traffic a policy is about: to the endpoints it selects, or from them. */
export type PolicyType = z.infer<typeof policyType>;

/** Fields of policies of every kind. */
export const policyFields = {
  tier: z.string().default('default'),
  // Not set: after all that have one.
  order: z.number().optional(),
  selector: selector.optional(),
  serviceAccountSelector: selector.optional(),
  types: z
    .array(policyType)
    .optional()
    .meta({ default: 'what ingress and egress are set for; Ingress if neither is' }),
  ingress: z.array(policyRule).optional(),
  egress: z.array(policyRule).optional(),
  performanceHints: z.array(z.enum(['AssumeNeededOnEveryNode'])).optional(),
} as const;

/** Fields that only policies without a namespace have. Not set is false: Calico does not write it either. */
export const globalPolicyFields = {
  namespaceSelector: selector.optional(),
  doNotTrack: fallback(z.boolean(), false),
  preDNAT: fallback(z.boolean(), false),
  applyOnForward: fallback(z.boolean(), false),
} as const;

/** What a staged policy stands for: the policy to be, its removal, or neither. Only `Set` and `Delete` mean something. */
export const stagedAction = z.enum(['Set', 'Delete', 'Learn', 'Ignore']).default('Set');

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
