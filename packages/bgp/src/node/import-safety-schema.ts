import { ADDRESS_BITS, familyOf, type Prefix, prefixLength } from '@overland/net';
import { z } from 'zod';
import type { PeerConfig, SpeakerConfig } from '../core/config.ts';
import { prefix, whole } from './file-values.ts';

/** Length of the prefix of a block where a pool gives none, bits: Calico's. */
const BLOCK_LENGTHS = { ipv4: 26, ipv6: 122 } as const;

const pool = z
  .strictObject({
    prefix,
    blockLength: whole(0, 128).optional(),
    takesHosts: z.boolean().default(true),
  })
  .transform(({ blockLength, ...rest }) => ({
    ...rest,
    blockLength: blockLength ?? defaultLength(rest.prefix),
  }))
  .refine(
    ({ prefix: range, blockLength }) =>
      blockLength >= prefixLength(range) && blockLength <= ADDRESS_BITS[familyOf(range)],
    {
      path: ['blockLength'],
      error: 'must lie between the length of the prefix and that of an address',
    },
  );

/** Of a pool that is smaller than a usual block: the pool is one. */
function defaultLength(range: Prefix): number {
  return Math.max(BLOCK_LENGTHS[familyOf(range)], prefixLength(range));
}

/** `importSafety` of a speaker file: address pools of the cluster, and what others may offer of our own prefixes. */
export const clusterSafetySchema = z
  .strictObject({ pools: z.array(pool).default([]), lent: z.array(prefix).default([]) })
  .optional();

/** `importSafety` of a peer: on, off, or on with what is allowed all the same. */
export const peerSafetySchema = z
  .union([
    z.boolean(),
    z.strictObject({
      defaultRoute: z.boolean().default(false),
      isNode: z.boolean().default(false),
    }),
  ])
  .optional();

/** The checks of a peer: where the file says nothing, they are on for hosts. */
export function peerSafetyOf(
  given: z.output<typeof peerSafetySchema>,
  role: SpeakerConfig['role'],
): PeerConfig['importSafety'] {
  const chosen = given ?? role === 'host';
  if (typeof chosen !== 'boolean') return chosen;
  return chosen ? { defaultRoute: false, isNode: false } : undefined;
}
