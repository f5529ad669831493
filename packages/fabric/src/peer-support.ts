import type { BgpPeer } from '@overland/model';
import type { Report } from './diagnostics.ts';
import { passwordFault } from './passwords.ts';

/**
 * Why no session may be made from this resource, or `undefined`. What protects a session (a password, a filter)
 * and cannot be honoured means no session at all: Calico makes it without, which is worse than none.
 */
export function unsupported(peer: BgpPeer): string | undefined {
  const { spec } = peer;
  const passwordless = spec.password && passwordFault('password', spec.password);
  if (passwordless !== undefined) return passwordless;
  return namesPeers(peer)
    ? undefined
    : 'has neither peerIP nor peerSelector nor localWorkloadSelector nor interface nor listenRange';
}

/** Whether it says in any way who the peers are. */
export function namesPeers({ spec }: BgpPeer): boolean {
  const { peerIP, peerSelector, localWorkloadSelector, interface: device, listenRange } = spec;
  return Boolean(peerIP || peerSelector || localWorkloadSelector || device || listenRange);
}

/** Names the fields that the session goes without. */
export function reportIgnored({ spec }: BgpPeer, resource: string, report: Report): void {
  if (spec.password?.secretKeyRef?.optional) {
    report(resource, 'password.secretKeyRef.optional: the session needs its password all the same');
  }
}
