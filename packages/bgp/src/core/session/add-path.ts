import type { Family } from '@overland/net';
import type { PeerConfig } from '../config.ts';
import type { AddPath } from '../wire/add-path.ts';
import type { Capabilities } from '../wire/capabilities.ts';

/** Families whose prefixes have path identifiers on a session. RFC 7911. */
export interface AddPathFamilies {
  /** In what the peer sends. */
  readonly receive: readonly Family[];
  /** In what we send. */
  readonly send: readonly Family[];
}

/** What we announce of it to a peer. RFC 7911 section 4. */
export function localAddPath({ addPath, families }: PeerConfig): AddPath[] {
  const [receive, send] = [addPath?.receive ?? false, addPath?.send !== undefined];
  return receive || send ? families.map((family) => ({ family, receive, send })) : [];
}

/** Each direction needs one side that wants to send and one that takes it. RFC 7911 section 4. */
export function commonAddPath(
  sent: Capabilities,
  received: Capabilities,
  families: readonly Family[],
): AddPathFamilies {
  const [ours, theirs] = [sent.addPath, received.addPath];
  const does = (entries: readonly AddPath[], what: 'receive' | 'send', family: Family): boolean =>
    entries.some((entry) => entry.family === family && entry[what]);
  return {
    receive: families.filter((one) => does(ours, 'receive', one) && does(theirs, 'send', one)),
    send: families.filter((one) => does(ours, 'send', one) && does(theirs, 'receive', one)),
  };
}
