import type { Family } from '@overland/net';
import type { RouteEngine } from '../../core/rib/route-engine.ts';
import { BgpError, CeaseSubcode, ErrorCode } from '../../core/wire/bgp-error.ts';
import type { PeerRunner } from '../peer-runner.ts';

/** `hard` ends the session; `in` asks for the peer's routes again, `out` sends it ours, `soft` does both. */
export type ClearKind = 'hard' | 'in' | 'out' | 'soft';

/** What came of clearing one peer. */
export interface ClearedPeer {
  readonly name: string;
  /** The session was ended with Cease/Administrative Reset, or an attempt at one begins at once. */
  readonly reset: boolean;
  /** Whose routes the peer was asked for. */
  readonly requested: readonly Family[];
  /** Whose routes are sent again. */
  readonly sent: readonly Family[];
  /** Why nothing was done, or not all; `null`: it was. */
  readonly failure: string | null;
}

/**
 * Clears a peer. A hard reset is Cease/4 and no Hard Reset of RFC 8538: a peer that knows it keeps our routes until we
 * are back.
 */
export function clearPeer(runner: PeerRunner, engine: RouteEngine, kind: ClearKind): ClearedPeer {
  const done = { name: runner.config.name, reset: false, requested: [], sent: [], failure: null };
  if (kind === 'hard') {
    const cease = { code: ErrorCode.Cease, subcode: CeaseSubcode.AdministrativeReset };
    runner.reset(new BgpError(cease, 'cleared by the operator'));
    return { ...done, reset: true };
  }
  const { session } = runner.record;
  if (!session) return { ...done, failure: 'there is no session' };
  const requested = kind === 'out' ? [] : runner.requestRefresh();
  const sent = kind === 'in' ? [] : session.families;
  for (const family of sent) engine.refresh(runner.id, family);
  const isRefused = kind !== 'out' && requested.length === 0;
  const failure = isRefused ? 'the peer does not announce route refresh' : null;
  return { ...done, requested, sent, failure };
}
