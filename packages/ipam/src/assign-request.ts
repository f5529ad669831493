import type { Family, IpAddress, Prefix } from '@overland/net';

/** What a container needs. */
export interface AssignRequest {
  /** Names the holder; one per container and interface. */
  readonly handle: string;
  /** One address of each. */
  readonly families: readonly Family[];
  /** These addresses, in place of any of their families. */
  readonly addresses?: readonly IpAddress[];
  /** Names or CIDRs of the only pools to use; their selectors are then not asked. */
  readonly pools?: readonly string[];
  /** Stored with the address, for operators: `node`, `namespace`, `pod`, … */
  readonly attributes: Readonly<Record<string, string>>;
  /** Checked before each write, so that a caller that stopped waiting gets nothing. An AbortSignal fits. */
  readonly signal?: { readonly aborted: boolean };
}

/** What the handle holds now. */
export interface Assignment {
  readonly addresses: readonly IpAddress[];
  /** The block of each address, in the same order. */
  readonly blocks: readonly Prefix[];
}
