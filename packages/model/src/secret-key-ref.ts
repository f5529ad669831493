import { z } from 'zod';

/** A key of a secret of Kubernetes, in the namespace of the node's pod. */
export const secretKeyRef = z
  .object({
    name: z.string().default('').describe('Name of the secret.'),
    key: z.string().min(1).describe('Key within the secret.'),
    optional: z.boolean().optional().describe('Whether it may be missing.'),
  })
  .describe('Key of a secret of Kubernetes.');
