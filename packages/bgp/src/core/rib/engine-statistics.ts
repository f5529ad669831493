import type { Family } from '@overland/net';
import type { EgressKey } from './egress-class.ts';
import type { PeerId } from './route-engine.ts';

/** Sizes of tables and counts of work. */
export interface EngineStatistics {
  readonly families: Readonly<Record<Family, FamilyStatistics>>;
  /** Attribute sets, each kept once however many routes have it. */
  readonly attributeSets: number;
  /** Memory behind them, octets. */
  readonly attributeOctets: number;
}

export interface FamilyStatistics {
  /** Prefixes that anybody has a path of, or that a peer has yet to be told the end of. */
  readonly prefixes: number;
  readonly paths: number;
  readonly nextHops: number;
  /** Prefixes that the decision process was run for, and best paths that changed, since the start. */
  readonly decisions: number;
  readonly bestChanges: number;
  /** Prefixes that wait to be decided. */
  readonly undecided: number;
  /** Prefixes whose route the kernel is to be told. */
  readonly pendingKernelRoutes: number;
}

/** Peers that are sent the same: the class that they share, and how far each is. */
export interface UpdateGroup {
  readonly family: Family;
  /** What makes it a class, but for the filters. */
  readonly settings: Omit<EgressKey, 'family' | 'exportPolicy'>;
  /** Names of the export filters. */
  readonly exportFilters: readonly string[];
  readonly members: readonly UpdateGroupMember[];
}

export interface UpdateGroupMember {
  readonly peer: PeerId;
  /** Prefixes that it has from us. */
  readonly advertised: number;
  /** Prefixes that it is to be sent, and that it is to lose. */
  readonly announcing: number;
  readonly withdrawing: number;
}
