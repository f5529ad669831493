import type { Labels } from '@overland/model';
import type { Family, IpAddress, Prefix } from '@overland/net';
import type { Use } from './pool.ts';

/** What a container needs. */
export interface AssignRequest {
  /** Names the holder; one per container and interface. */
  readonly handle: string;
  /** {@link count} addresses of each. */
  readonly families: readonly Family[];
  /** How many of each family, 1 to {@link MAX_COUNT}; default 1. All of them or none. */
  readonly count?: number;
  /** These addresses, in place of any of their families. Neither selectors nor reservations keep them back. */
  readonly addresses?: readonly IpAddress[];
  /** Names or CIDRs of the only pools to use; their selectors are then not asked. */
  readonly pools?: readonly string[];
  /** What the addresses are for; default `Workload`. */
  readonly use?: Use;
  /** Of the container's namespace, for pools with a namespaceSelector. */
  readonly namespaceLabels?: Labels;
  /** Stored with the address, for operators: `node`, `namespace`, `pod`, … */
  readonly attributes: Readonly<Record<string, string>>;
  /** Checked before each write, so that a caller that stopped waiting gets nothing. An AbortSignal fits. */
  readonly signal?: { readonly aborted: boolean };
}

/** Most addresses of a family in one request. */
export const MAX_COUNT = 1024;

/** What the handle holds now. */
export interface Assignment {
  readonly addresses: readonly IpAddress[];
  /** The block of each address, in the same order. */
  readonly blocks: readonly Prefix[];
  /** By what the fabric finds the addresses: their blocks, and each address alone that is borrowed from the block of another host. */
  readonly routes: readonly Prefix[];
}
