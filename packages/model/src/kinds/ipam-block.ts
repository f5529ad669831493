import { z } from 'zod';
import { defineKind, type ResourceOf } from '../kind.ts';
import { subdomainName } from '../name-rules.ts';
import { cidr } from '../scalars.ts';

const sequenceNumber = z.union([z.number(), z.bigint()]);

const attribute = z.object({
  handle_id: z.string().optional().describe('Handle of the holder.'),
  secondary: z.record(z.string(), z.string()).optional().describe('What is known about it.'),
  alternateOwnerAttrs: z
    .record(z.string(), z.string())
    .optional()
    .describe('The same of who takes over.'),
  releasedAt: z.string().optional().describe('When it was released, RFC 3339.'),
});

/** A block of addresses and who holds each of them. */
export const ipamBlock = defineKind({
  kind: 'IPAMBlock',
  summary: 'A block of addresses and who holds each of them. Written by IPAM only.',
  plural: 'ipamblocks',
  aliases: ['block', 'blocks'],
  name: subdomainName,
  storage: 'ipam',
  spec: z.object({
    cidr: cidr.describe('The block.'),
    affinity: z.string().optional().describe('Whose it is: host:NAME or virtual:NAME.'),
    affinityClaimTime: z.string().optional().describe('When it was claimed, RFC 3339.'),
    allocations: z
      .array(z.number().int().nullable())
      .describe('One item per address: an index into attributes, or null if it is free.'),
    unallocated: z
      .array(z.number().int())
      .describe('Free addresses by ordinal, in the order in which they are handed out.'),
    attributes: z.array(attribute).describe('Who holds addresses.'),
    sequenceNumber: sequenceNumber.describe('Raised with every write.'),
    sequenceNumberForAllocation: z
      .record(z.string(), sequenceNumber)
      .default({})
      .describe('Ordinal → sequence number when the address was given.'),
    strictAffinity: z.boolean().default(false).describe('Of old; not used.'),
    deleted: z.boolean().default(false).describe('True while the block is being removed.'),
  }),
});

export type IpamBlock = ResourceOf<typeof ipamBlock>;
