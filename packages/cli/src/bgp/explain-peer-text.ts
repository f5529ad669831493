import type { ExplainedPeer } from '@overland/bgp/node';
import type { Colours } from '../colours.ts';
import { peerFindings } from './peer-findings.ts';
import { FAMILY_TITLES, stateOf } from './peer-state.ts';

/** Why a peer has the routes that it has from us, and why we have those that we have of it, in words. */
export function explainPeerText(explained: ExplainedPeer, colours: Colours): string {
  const { neighbor } = explained;
  const lines = [colours.bold(`${neighbor.name} (${neighbor.address}), ${stateOf(neighbor)}`)];
  for (const { family, received, sent } of peerFindings(explained)) {
    lines.push('', FAMILY_TITLES[family]);
    lines.push('  from it:', ...received.map((finding) => `    ${finding}`));
    lines.push('  to it:', ...sent.map((finding) => `    ${finding}`));
  }
  return `${lines.join('\n')}\n`;
}
