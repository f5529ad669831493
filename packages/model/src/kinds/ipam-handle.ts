import { z } from 'zod';
import { defineKind, type ResourceOf } from '../kind.ts';

/** All addresses that belong together: those of one container interface. */
export const ipamHandle = defineKind({
  kind: 'IPAMHandle',
  summary: 'The blocks in which one container interface holds addresses. Written by IPAM only.',
  plural: 'ipamhandles',
  aliases: ['handle', 'handles'],
  name: { rule: 'must not be empty', holds: (name) => name !== '' },
  storage: 'ipam',
  spec: z.object({
    handleID: z.string().describe('Name of the handle.'),
    block: z
      .record(z.string(), z.number().int())
      .default({})
      .describe('Block → how many of its addresses the handle holds.'),
    deleted: z.boolean().default(false).describe('True while the handle is being removed.'),
  }),
});

export type IpamHandle = ResourceOf<typeof ipamHandle>;
