import { z } from 'zod';
import { defineKind, type ResourceOf } from '../kind.ts';
import { isLabelKey, isLabelValue, subdomainName } from '../name-rules.ts';
import { profileChecks } from '../policy/policy-checks.ts';
import { policyRule } from '../policy/rule-schema.ts';

/** Rules for endpoints that no policy decides about, and labels that they inherit. */
export const profile = defineKind({
  kind: 'Profile',
  summary:
    'Rules for endpoints that list it, where no policy decides, and labels that they inherit.',
  plural: 'profiles',
  aliases: ['pro', 'pros'],
  name: subdomainName,
  spec: z.object({
    ingress: z.array(policyRule).optional().describe('Rules for what comes in.'),
    egress: z.array(policyRule).optional().describe('Rules for what goes out.'),
    labelsToApply: z
      .record(z.string(), z.string())
      .optional()
      .describe('Labels that endpoints of the profile inherit.'),
  }),
  rules: [
    ...profileChecks,
    {
      path: 'spec.labelsToApply',
      rule: 'must be a label: a key of at most 63 letters, digits, "-", "_" and ".", after an optional DNS prefix; a value of at most 63 of them, or none',
      check: ({ spec }) =>
        Object.entries(spec.labelsToApply ?? {}).flatMap(([key, value]) =>
          isLabelKey(key) && isLabelValue(value)
            ? []
            : [`spec.labelsToApply[${JSON.stringify(key)}]`],
        ),
    },
  ],
});

export type Profile = ResourceOf<typeof profile>;

/** A profile that is always there and never stored: it lets everything through. For host endpoints, mainly. */
export const DEFAULT_ALLOW_PROFILE: Profile = {
  apiVersion: 'projectcalico.org/v3',
  kind: 'Profile',
  metadata: { name: 'projectcalico-default-allow', resourceVersion: '1' },
  spec: { ingress: [{ action: 'Allow' }], egress: [{ action: 'Allow' }] },
};
