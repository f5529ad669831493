import { familyOf, overlaps, parsePrefix, prefixLength } from '@overland/net';
import { z } from 'zod';
import { defineKind, type ResourceOf } from '../kind.ts';
import { subdomainName } from '../name-rules.ts';
import { cidr, selector } from '../scalars.ts';

/** Block sizes (prefix lengths) a pool may have, and the one it has if it does not say. */
export const BLOCK_SIZES = {
  ipv4: { min: 20, max: 32, default: 26 },
  ipv6: { min: 116, max: 128, default: 122 },
} as const;

const ENCAPSULATION = ['Never', 'Always', 'CrossSubnet'] as const;
const LINK_LOCAL = [parsePrefix('169.254.0.0/16'), parsePrefix('fe80::/10')];
const NO_ENCAPSULATION =
  'must be Never: Overland routes container addresses natively and does not encapsulate';

const spec = z
  .object({
    cidr: cidr.describe('The range.'),
    blockSize: z
      .number()
      .int()
      .optional()
      .meta({ default: '26 (IPv4), 122 (IPv6)' })
      .describe('Prefix length of the blocks that hosts claim: 20 to 32, or 116 to 128.'),
    ipipMode: z.enum(ENCAPSULATION).default('Never').describe('IPIP. Overland takes Never only.'),
    vxlanMode: z.enum(ENCAPSULATION).default('Never').describe('VXLAN. Overland takes Never only.'),
    natOutgoing: z
      .boolean()
      .default(false)
      .describe(
        'Whether containers reach what is outside all pools under the address of the host.',
      ),
    disabled: z.boolean().default(false).describe('Whether nobody gets a new address from it.'),
    disableBGPExport: z.boolean().default(false).describe('Whether its blocks are not announced.'),
    nodeSelector: selector.default('all()').describe('Nodes that claim blocks of it.'),
    namespaceSelector: selector.optional().describe('Namespaces whose containers get addresses.'),
    allowedUses: z
      .array(z.enum(['Workload', 'Tunnel', 'LoadBalancer']))
      .default(['Workload', 'Tunnel'])
      .describe('What its addresses are for.'),
    assignmentMode: z
      .enum(['Automatic', 'Manual'])
      .default('Automatic')
      .describe('Manual: only who names the pool gets an address from it.'),
  })
  .transform((pool) => ({
    ...pool,
    blockSize: pool.blockSize ?? BLOCK_SIZES[familyOf(pool.cidr)].default,
  }));

/** A range of container addresses. */
export const ipPool = defineKind({
  kind: 'IPPool',
  summary: 'A range of container addresses, cut into blocks that hosts claim.',
  plural: 'ippools',
  aliases: ['pool', 'pools', 'ipp', 'ipps'],
  name: subdomainName,
  spec,
  status: z.object({
    conditions: z
      .array(z.unknown())
      .optional()
      .describe('Allocatable, with the reason where it is not.'),
  }),
  immutable: ['spec.cidr', 'spec.blockSize'],
  rules: [
    {
      path: 'spec.blockSize',
      rule: 'must be 20 to 32 for IPv4, 116 to 128 for IPv6',
      check: ({ spec: { cidr: range, blockSize } }) => {
        const { min, max } = BLOCK_SIZES[familyOf(range)];
        return blockSize >= min && blockSize <= max;
      },
    },
    {
      path: 'spec.cidr',
      rule: 'must hold at least one block of the size in spec.blockSize',
      check: ({ spec: { cidr: range, blockSize, disabled } }) =>
        disabled || prefixLength(range) <= blockSize,
    },
    {
      path: 'spec.cidr',
      rule: 'must not overlap the link-local range (169.254.0.0/16, fe80::/10)',
      check: ({ spec: { cidr: range } }) => !LINK_LOCAL.some((other) => overlaps(range, other)),
    },
    {
      path: 'spec.ipipMode',
      rule: NO_ENCAPSULATION,
      check: (pool) => pool.spec.ipipMode === 'Never',
    },
    {
      path: 'spec.vxlanMode',
      rule: NO_ENCAPSULATION,
      check: (pool) => pool.spec.vxlanMode === 'Never',
    },
    {
      path: 'spec.allowedUses',
      rule: 'must be LoadBalancer alone, with nodeSelector all() and without disableBGPExport',
      check: ({ spec: { allowedUses, nodeSelector, disableBGPExport } }) =>
        !allowedUses.includes('LoadBalancer') ||
        (allowedUses.length === 1 && nodeSelector === 'all()' && !disableBGPExport),
    },
  ],
});

/** Whether the pool asks for tunnels: it is shown, and nothing is assigned from it. */
export function isEncapsulated({ spec: { ipipMode, vxlanMode } }: IpPool): boolean {
  return ipipMode !== 'Never' || vxlanMode !== 'Never';
}

export type IpPool = ResourceOf<typeof ipPool>;
