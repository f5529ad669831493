import { z } from 'zod';
import { defineKind, type ResourceOf } from '../kind.ts';
import { subdomainName } from '../name-rules.ts';
import { cidr } from '../scalars.ts';

/** States of a claim. Only `confirmed` ones are advertised. */
export const AFFINITY_STATES = ['pending', 'confirmed', 'pendingDeletion'] as const;
export type AffinityState = (typeof AFFINITY_STATES)[number];

/** A host's claim to a block. */
export const blockAffinity = defineKind({
  kind: 'BlockAffinity',
  summary: 'A claim of a host to a block of addresses. Written by IPAM only.',
  plural: 'blockaffinities',
  aliases: ['affinity', 'affinities', 'blockaffinity'],
  name: subdomainName,
  storage: 'ipam',
  spec: z.object({
    state: z.enum(AFFINITY_STATES).default('confirmed').describe('How far the claim has got.'),
    node: z.string().describe('Who claims: name of a node, or of a load balancer.'),
    type: z.enum(['host', 'virtual']).default('host').describe('What claims.'),
    cidr: cidr.describe('The block.'),
    deleted: z
      .union([z.boolean(), z.string()])
      .default(false)
      .describe('True while the claim is being removed.'),
  }),
});

export type BlockAffinity = ResourceOf<typeof blockAffinity>;
