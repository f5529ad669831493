import type { NameRule } from '../name-rules.ts';

const LABEL = '[a-z0-9](?:[-a-z0-9]*[a-z0-9])?';
const LABELS = new RegExp(`^${LABEL}(?:\\.${LABEL})?$`);
const RESERVED = new RegExp(`^(?:knp|ossg)\\.default\\.${LABEL}(?:\\.${LABEL})*$`);
const MAX_NAME = 253;

/** Policies that were converted from Kubernetes' NetworkPolicy are named so. */
export const KUBERNETES_POLICY_PREFIX = 'knp.default.';

/** A NetworkPolicy's name: `web`, `tier.web`, or one that a converter has made. */
export const networkPolicyName: NameRule = {
  rule: 'must be lower-case letters, digits and "-", with at most one ".", or start with knp.default. or ossg.default.; at most 253 characters',
  holds: (name) => name.length <= MAX_NAME && (LABELS.test(name) || RESERVED.test(name)),
};

/** A GlobalNetworkPolicy's name: `web`, `tier.web`. */
export const globalNetworkPolicyName: NameRule = {
  rule: 'must be lower-case letters, digits and "-", with at most one ".", at most 253 characters',
  holds: (name) => name.length <= MAX_NAME && LABELS.test(name),
};

/** A tier's name: a part of policies' names and a label value, so one DNS label. */
export const tierName: NameRule = {
  rule: 'must be lower-case letters, digits and "-", at most 63 characters',
  holds: (name) => name.length <= 63 && new RegExp(`^${LABEL}$`).test(name),
};

/** Names that conversion makes: a manifest must not use them. */
export const kubernetesPolicyNames: NameRule = {
  rule: `must not start with ${KUBERNETES_POLICY_PREFIX}: such policies come from networking.k8s.io/v1 NetworkPolicy manifests`,
  holds: (name) => !name.startsWith(KUBERNETES_POLICY_PREFIX),
};

/** The tier that a policy's name begins with: `security` of `security.web`; `default` if it names none. */
export function tierOfPolicyName(name: string): string {
  const [first = '', ...rest] = name.split('.');
  return rest.length === 0 || first === 'knp' || first === 'ossg' ? 'default' : first;
}
