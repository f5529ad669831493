import type { Prefix } from '@overland/net';

/** Names a set of addresses, or of addresses with ports; equal sets have equal names, on every host. */
export type SetId = string;

interface PortRange {
  readonly first: number;
  readonly last: number;
}

/** ICMP or ICMPv6 messages; what is absent may be anything. */
export interface IcmpMatch {
  readonly type?: number | undefined;
  readonly code?: number | undefined;
}

/** What packets of one side must be. Everything that is given must hold; of a list of ports, one must. */
export interface ActiveSide {
  /** One of these holds the address; empty: any may. */
  readonly nets: readonly Prefix[];
  readonly notNets: readonly Prefix[];
  /** All of these hold the address. */
  readonly sets: readonly SetId[];
  /** None of these does. */
  readonly notSets: readonly SetId[];
  /** The port is in one of the ranges, or with address and protocol in one of the sets; `undefined`: any may be. */
  readonly ports: PortMatches | undefined;
  readonly notPorts: PortMatches | undefined;
}

export interface PortMatches {
  readonly ranges: readonly PortRange[];
  /** Of addresses with protocol and port: ports that have a name. */
  readonly sets: readonly SetId[];
}

/**
 * A rule as kernel and explainer see it: selectors have become sets. Conditions are joined by and.
 */
export interface ActiveRule {
  readonly action: 'Allow' | 'Deny' | 'Log' | 'Pass';
  readonly ipVersion: 4 | 6 | undefined;
  /** IP protocol numbers. */
  readonly protocol: number | undefined;
  readonly notProtocol: number | undefined;
  readonly icmp: IcmpMatch | undefined;
  readonly notIcmp: IcmpMatch | undefined;
  readonly source: ActiveSide;
  readonly destination: ActiveSide;
  /** Why the rule matches nothing, whatever the packet: it asks for what we cannot see. */
  readonly inert: string | undefined;
}
