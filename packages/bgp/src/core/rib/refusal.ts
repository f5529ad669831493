import type { AsPathRefusal } from '../wire/update.ts';

/** Why something that a peer sent was refused, as counted. */
export type RefusalReason =
  | 'as-path-loop'
  | 'originator-id-loop'
  | 'cluster-list-loop'
  | AsPathRefusal
  | 'martian'
  | 'treat-as-withdraw'
  | 'attribute-discard'
  | 'route-leak'
  /** A rule of an import filter. */
  | 'filter'
  /** What import filters add makes the attributes longer than can be kept. */
  | 'attributes-too-long'
  /** Its peer is long gone, and it is marked NO_LLGR. RFC 9494 section 4.2. */
  | 'no-long-lived'
  | ImportSafetyReason;

/** What the built-in checks of import refuse. */
export type ImportSafetyReason =
  /** A default route that nobody asked for. */
  | 'default-route'
  /** What this speaker originates, or a part of it. */
  | 'own-prefix'
  /** Part of a block inside an address pool, from a peer that is no node. */
  | 'longer-than-block';

/** Why the paths of a group are refused. */
export interface Refusal {
  readonly reason: RefusalReason;
  /** The rule of a filter that did it. */
  readonly rule?: string;
}

/** `as-path-loop`, `filter no-leaks[2]`. */
export function refusalText(refusal: Refusal | undefined): string | null {
  if (!refusal) return null;
  return refusal.rule === undefined ? refusal.reason : `${refusal.reason} ${refusal.rule}`;
}
