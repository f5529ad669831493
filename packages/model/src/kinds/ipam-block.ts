import { z } from 'zod';
import { defineKind, type ResourceOf } from '../kind.ts';
import { subdomainName } from '../name-rules.ts';
import { cidr } from '../scalars.ts';

const sequenceNumber = z.union([z.number(), z.bigint()]);

/** A block of addresses and who holds each of them. */
export const ipamBlock = defineKind({
  kind: 'IPAMBlock',
  summary: 'A block of addresses and who holds each of them. Written by IPAM only.',
  plural: 'ipamblocks',
  aliases: ['block', 'blocks'],
  name: subdomainName,
  storage: 'ipam',
  spec: z.object({
    cidr,
    affinity: z.string().optional(),
    affinityClaimTime: z.string().optional(),
    allocations: z.array(z.number().int().nullable()),
    unallocated: z.array(z.number().int()),
    attributes: z.array(
      z.object({
        handle_id: z.string().optional(),
        secondary: z.record(z.string(), z.string()).optional(),
        alternateOwnerAttrs: z.record(z.string(), z.string()).optional(),
        releasedAt: z.string().optional(),
      }),
    ),
    sequenceNumber,
    sequenceNumberForAllocation: z.record(z.string(), sequenceNumber).default({}),
    strictAffinity: z.boolean().default(false),
    deleted: z.boolean().default(false),
  }),
});

export type IpamBlock = ResourceOf<typeof ipamBlock>;
