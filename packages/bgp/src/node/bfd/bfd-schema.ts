import { z } from 'zod';
import { whole, withoutUndefined } from '../file-values.ts';

/** `bfd` of a peer or of the next hop of a static route, RFC 5880 to 5883; present: on. */
export const bfdSchema = z
  .strictObject({
    transmitMs: whole(10, 60_000).optional(),
    receiveMs: whole(10, 60_000).optional(),
    detectMultiplier: whole(1, 255).optional(),
    multihop: z.boolean().optional(),
    minTtl: whole(1, 254).optional(),
    passive: z.boolean().optional(),
    strict: z.boolean().default(false),
  })
  .transform((bfd) => withoutUndefined(bfd));
