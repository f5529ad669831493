import { familyOf, isLinkLocal } from '@overland/net';
import { z } from 'zod';
import type { SpeakerConfig, StaticNextHop, StaticRoute } from '../core/config.ts';
import { bfdSchema } from './bfd/bfd-schema.ts';
import { prefix, withoutUndefined } from './file-values.ts';
import { community } from './filters-schema.ts';
import { scopedAddress } from './peer-place.ts';

/** As many as the kernel's groups of next hops are made of elsewhere. */
const MAX_NEXT_HOPS = 64;
const MAX_ROUTES = 10_000;

/** `10.1.0.1`, `fe80::1%eth1`, or with BFD: `{ address: 10.1.0.1, bfd: {} }`. */
const nextHop = z
  .union([
    scopedAddress.transform((address) => ({ address })),
    z.strictObject({ address: scopedAddress, bfd: bfdSchema.optional() }),
  ])
  .transform(
    ({ address: { address, zone }, ...rest }): StaticNextHop =>
      withoutUndefined({ address, interface: zone, ...rest }),
  )
  .refine((hop) => !isLinkLocal(hop.address) || hop.interface !== undefined, {
    error: 'must name its interface, being link-local: fe80::1%eth1',
  });

const route = z
  .strictObject({
    prefix,
    nextHops: z.array(nextHop).min(1).max(MAX_NEXT_HOPS),
    advertise: z.boolean().default(false),
    communities: z.array(community).min(1).optional(),
  })
  .refine(
    ({ prefix: to, nextHops }) =>
      nextHops.every(({ address }) => familyOf(address) === 'ipv6' || familyOf(to) === 'ipv4'),
    { path: ['nextHops'], error: 'must be IPv6 addresses, as the prefix is' },
  )
  .refine(({ advertise, communities }) => advertise || communities === undefined, {
    path: ['communities'],
    error: 'must come with advertise: what nobody is told carries none',
  })
  .transform((given): StaticRoute => withoutUndefined(given));

/** `static` of a speaker file. */
export const staticSchema = z.array(route).max(MAX_ROUTES);

/** Routes and next hops that are there twice, and what is originated anyway. */
export function staticFaults(config: SpeakerConfig): string[] {
  const { static: routes = [], originate, aggregates = [] } = config;
  return routes.flatMap(({ prefix: to, nextHops }, i) => {
    const first = routes.findIndex((other) => other.prefix === to);
    const hops = nextHops.map((hop) => `${hop.address}%${hop.interface ?? ''}`);
    const path = `static[${i}]`;
    return [
      ...(first < i ? [`${path}.prefix: ${to} is the prefix of static[${first}]`] : []),
      ...(originate.includes(to) ? [`${path}.prefix: ${to} is in originate, too`] : []),
      ...(aggregates.some((one) => one.prefix === to)
        ? [`${path}.prefix: ${to} is in aggregates, too`]
        : []),
      ...hops.flatMap((hop, k) =>
        hops.indexOf(hop) < k
          ? [`${path}.nextHops[${k}]: it is the same as nextHops[${hops.indexOf(hop)}]`]
          : [],
      ),
    ];
  });
}
