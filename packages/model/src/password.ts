import { z } from 'zod';
import { extension, pattern } from './scalars.ts';

/** Longest key of TCP MD5 in Linux, in octets (TCP_MD5SIG_MAXKEYLEN). */
const MAX_PASSWORD_OCTETS = 80;

/** Length in UTF-8. */
function octetsOf(value: string): number {
  let octets = 0;
  for (const character of value) {
    const code = character.codePointAt(0) ?? 0;
    octets += 1 + Number(code > 0x7f) + Number(code > 0x7ff) + Number(code > 0xffff);
  }
  return octets;
}

/** A key of a secret of Kubernetes, in the namespace of the node's pod. */
const secretKeyRef = z
  .object({
    name: z.string().default('').describe('Name of the secret.'),
    key: z.string().min(1).describe('Key within the secret.'),
    optional: z
      .boolean()
      .optional()
      .describe('Whether it may be missing. Overland makes no session without it.'),
  })
  .describe(
    "Key of a secret of Kubernetes: on the node, the file NAME/KEY in the agent's secretsDirectory.",
  );

/** TCP MD5 (RFC 2385). Calico knows secrets of Kubernetes only. */
export const password = z
  .object({
    secretKeyRef: secretKeyRef.optional(),
    file: extension(pattern('an absolute path', /^\/[^\0]{1,4095}$/)).describe(
      'File on the node that holds the password, without the line break at its end.',
    ),
    value: extension(
      z
        .string()
        .refine(
          (value) => octetsOf(value) <= MAX_PASSWORD_OCTETS,
          `must have at most ${MAX_PASSWORD_OCTETS} octets`,
        )
        .meta({ rule: `at most ${MAX_PASSWORD_OCTETS} octets` }),
    )
      .meta({ secret: true })
      .describe(
        'The password itself. Never shown; kept when a manifest leaves it out, removed by an empty one; not sent to an etcd without TLS.',
      ),
  })
  .describe('Password of the sessions (TCP MD5); from one source.');

/** Whether a password is from one place, or from none. */
export function hasOneSource({
  secretKeyRef: key,
  file,
  value,
}: z.infer<typeof password> = {}): boolean {
  return [key, file, value].filter((source) => source !== undefined).length <= 1;
}
