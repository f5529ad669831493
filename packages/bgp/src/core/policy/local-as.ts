import type { Asn } from '@overland/net';
import type { PeerConfig } from '../config.ts';
import { isExternal } from '../session/remote-as.ts';
import type { AttributeEdits } from './attribute-edits.ts';
import { editsOf } from './compose-edits.ts';

type LocalAs = Pick<PeerConfig, 'asn' | 'localAsn' | 'localAsMode'>;

/**
 * What an AS number of its own towards an eBGP peer does to paths, beyond standing in front of what the peer is sent: FRR's
 * `local-as N`, which puts it in front of what comes from the peer, too, and `local-as N no-prepend`. What is sent shows the speaker's
 * own number behind it in both.
 *
 * @returns `undefined`: nothing, as with `local-as N no-prepend replace-as`.
 */
export function localAsEdits(
  { asn, localAsn, localAsMode }: LocalAs,
  speaker: Asn,
  direction: 'import' | 'export',
): AttributeEdits | undefined {
  if (localAsn === undefined || localAsMode === undefined) return undefined;
  if (localAsn === speaker || !isExternal(asn, localAsn)) return undefined;
  if (direction === 'export') return editsOf({ prepend: [speaker] });
  return localAsMode === 'prepend' ? editsOf({ prepend: [localAsn] }) : undefined;
}
