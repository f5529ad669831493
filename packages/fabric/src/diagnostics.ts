/** A resource, or a part of it, that has no effect on this node's speaker although one might expect it. */
export interface Diagnostic {
  /** Kind and name: `BGPPeer rack1-leaf11`. */
  readonly resource: string;
  /** One line, fit to show an operator. */
  readonly reason: string;
}

/** Collects diagnostics while a configuration is derived. */
export type Report = (resource: string, reason: string) => void;
