import { z } from 'zod';
import type { RpkiConfig, SpeakerConfig } from '../../core/config.ts';
import { address, whole, withoutUndefined } from '../file-values.ts';

/** RFC 8210 section 9.1: TCP without protection. */
const RTR_PORT = 323;

const cache = z
  .strictObject({
    address,
    port: whole(1, 65_535).default(RTR_PORT),
    localAddress: address.optional(),
  })
  .transform(withoutUndefined);

/** `rpki` of a speaker file. */
export const rpkiSchema = z
  .strictObject({
    caches: z.array(cache).min(1).max(16),
    refreshSeconds: whole(1, 86_400).optional(),
    retrySeconds: whole(1, 7200).optional(),
    expireSeconds: whole(600, 172_800).optional(),
  })
  .transform((rpki): RpkiConfig => withoutUndefined(rpki));

/** Filters that ask for what nobody tells, and caches that are there twice. */
export function rpkiFaults({ filters = [], rpki }: SpeakerConfig): string[] {
  const caches = rpki?.caches ?? [];
  const ends = caches.map((one) => `${one.address} ${one.port}`);
  const twice = ends.flatMap((end, i) => {
    const first = ends.indexOf(end);
    return first < i ? [`rpki.caches[${i}]: it is the same as caches[${first}]`] : [];
  });
  if (rpki) return twice;
  return filters.flatMap(({ rules }, i) =>
    rules.flatMap(({ match }, k) =>
      match?.rpki === undefined
        ? []
        : [`filters[${i}].rules[${k}].match.rpki: there is no cache: rpki.caches is missing`],
    ),
  );
}
