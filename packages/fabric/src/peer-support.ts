import type { BgpPeer } from '@overland/model';
import type { Report } from './diagnostics.ts';
import { passwordFault } from './passwords.ts';

/**
 * Why no session may be made from this resource, or `undefined`. What protects a session (a password, a filter)
 * and cannot be honoured means no session at all: Calico makes it without, which is worse than none.
 */
export function unsupported({ spec }: BgpPeer): string | undefined {
  if (spec.localWorkloadSelector) return 'sessions with local workloads are not supported yet';
  const passwordless = spec.password && passwordFault('password', spec.password);
  if (passwordless !== undefined) return passwordless;
  if (!spec.peerIP && !spec.peerSelector && !spec.interface && !spec.listenRange) {
    return 'has neither peerIP nor peerSelector nor interface nor listenRange';
  }
  return undefined;
}

/** Names the fields that the session goes without. */
export function reportIgnored({ spec }: BgpPeer, resource: string, report: Report): void {
  if (spec.password?.secretKeyRef?.optional) {
    report(resource, 'password.secretKeyRef.optional: the session needs its password all the same');
  }
  if (spec.reachableBy) report(resource, 'reachableBy: no route to the peer is made yet');
}
