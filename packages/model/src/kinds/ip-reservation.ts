import { z } from 'zod';
import { defineKind, type ResourceOf } from '../kind.ts';
import { subdomainName } from '../name-rules.ts';
import { cidr } from '../scalars.ts';

/** Addresses that nobody gets by chance. */
export const ipReservation = defineKind({
  kind: 'IPReservation',
  summary:
    'Addresses that are not handed out unless they are asked for by name. What is handed out already stays so. Meant for short lists.',
  plural: 'ipreservations',
  aliases: ['reservation', 'reservations'],
  name: subdomainName,
  spec: z.object({
    reservedCIDRs: z.array(cidr).default([]).describe('The ranges.'),
  }),
});

export type IpReservation = ResourceOf<typeof ipReservation>;
