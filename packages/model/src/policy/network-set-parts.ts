import type { Prefix } from '@overland/net';
import { z } from 'zod';
import type { Rule } from '../kind.ts';
import { NAMESPACE_LABEL } from '../labels/label-names.ts';
import type { Metadata } from '../resource.ts';
import { looseCidr } from '../scalars.ts';

const MAX_NETS = 100_000;

/** The spec of both kinds of network sets. */
export const networkSetSpec = z.object({
  nets: z.array(looseCidr).optional().describe('The addresses.'),
});

interface NetworkSetLike {
  readonly metadata: Metadata;
  readonly spec: { readonly nets?: readonly Prefix[] | undefined };
}

/** What both kinds of network sets must keep. */
export const networkSetChecks: readonly Rule<NetworkSetLike>[] = [
  {
    path: 'spec.nets',
    rule: `must have at most ${MAX_NETS} items`,
    check: ({ spec }) => (spec.nets?.length ?? 0) <= MAX_NETS,
  },
  {
    path: `metadata.labels["${NAMESPACE_LABEL}"]`,
    rule: 'must not be set: it follows from where the set is',
    check: ({ metadata }) => metadata.labels?.[NAMESPACE_LABEL] === undefined,
  },
];
