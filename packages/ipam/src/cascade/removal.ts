import type { Kind, ResourceName } from '@overland/model';
import type { IpAddress } from '@overland/net';
import type { GivenUpBlock } from '../ipam-admin.ts';

/** One thing that went along with an object which was deleted, in the order in which it happened. */
export type Removal =
  | { readonly type: 'addresses'; readonly addresses: readonly IpAddress[] }
  | { readonly type: 'object'; readonly kind: Kind; readonly name: ResourceName }
  /** Not removed: the first step towards it. */
  | { readonly type: 'disabled' }
  /** The object could not be read, so nobody knows what belonged to it: it went alone. */
  | { readonly type: 'unreadable' }
  | ({ readonly type: 'block' } & GivenUpBlock);
