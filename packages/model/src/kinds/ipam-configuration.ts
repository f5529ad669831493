import { z } from 'zod';
import { defineKind, type ResourceOf } from '../kind.ts';
import { onlyName } from '../name-rules.ts';

/** How blocks are claimed, for all nodes. */
export const ipamConfiguration = defineKind({
  kind: 'IPAMConfiguration',
  summary: 'How hosts claim blocks and hand out addresses; one object, named default.',
  plural: 'ipamconfigurations',
  aliases: ['ipamconfig', 'ipamconfigs'],
  name: onlyName('default'),
  // The allocator of Calico reads only `/calico/ipam/v2/config`; so this kind is a view of that key.
  storage: 'ipam',
  spec: z.object({
    strictAffinity: z
      .boolean()
      .default(false)
      .describe('Whether a host takes addresses from its own blocks only.'),
    maxBlocksPerHost: z
      .number()
      .int()
      .min(0)
      .max(1_000_000)
      .default(0)
      .describe('Most blocks a host may have; 0: 20.'),
    autoAllocateBlocks: z
      .boolean()
      .default(true)
      .describe('Whether a host claims a further block when its own are full.'),
    kubeVirtVMAddressPersistence: z
      .enum(['Enabled', 'Disabled'])
      .default('Enabled')
      .describe('Whether virtual machines of KubeVirt keep their addresses.'),
    ipCooldownSeconds: z
      .number()
      .int()
      .min(0)
      .max(1200)
      .default(0)
      .describe('How long a released address rests before it is handed out again, in seconds.'),
  }),
  rules: [
    {
      path: 'spec.autoAllocateBlocks',
      rule: 'must be true unless spec.strictAffinity is: nobody could get an address',
      check: ({ spec }) => spec.strictAffinity || spec.autoAllocateBlocks,
    },
    {
      path: 'spec.maxBlocksPerHost',
      rule: 'must be 0 unless spec.strictAffinity is true: borrowing would go around the limit',
      check: ({ spec }) => spec.maxBlocksPerHost === 0 || spec.strictAffinity,
    },
  ],
});

export type IpamConfiguration = ResourceOf<typeof ipamConfiguration>;
