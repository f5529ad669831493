import type { BfdPeer, BfdReport, BfdSummary } from './bfd-peer.ts';

/** Where `overland bfd run` answers unless it is told otherwise. */
export const DEFAULT_BFD_SOCKET = '/run/overland/bfd.sock';

/** Longest line, octets: some ten thousand sessions. */
export const MAX_LINE_OCTETS = 4 << 20;

/** The process does not answer, or not with what was asked for. */
export class BfdSocketError extends Error {
  override readonly name = 'BfdSocketError';
}

/** What a client says, one JSON object a line. */
export type BfdRequest =
  | {
      readonly type: 'declare';
      /** Its name, the same after a restart. */
      readonly client: string;
      /** All that it wants; none: it parts. */
      readonly sessions: readonly BfdPeer[];
    }
  | { readonly type: 'status' };

/** What it is told, one JSON object a line. */
export type BfdAnswer =
  /** All of the client's sessions, after `declare`; later those that changed. */
  | { readonly type: 'reports'; readonly reports: readonly BfdReport[] }
  | { readonly type: 'status'; readonly summary: BfdSummary }
  | { readonly type: 'error'; readonly message: string };
