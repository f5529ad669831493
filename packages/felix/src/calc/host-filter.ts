import type { IpAddress } from '@overland/net';
import type { OutgoingNat } from './outgoing-nat.ts';
import type { HostRules } from './policy/host-rules.ts';
import type { Direction, PolicyHook } from './policy/policy-view.ts';
import type { EndpointPolicyRef } from './policy-state.ts';

/** What holds on the host itself: its endpoints, and what is open or closed whatever policies say. Plain data. */
export interface HostFilter extends HostRules {
  /** By name. */
  readonly endpoints: readonly HostEndpointFilter[];
  readonly outgoingNat?: OutgoingNat | undefined;
}

/** What holds at one host endpoint. */
export interface HostEndpointFilter {
  readonly name: string;
  /** `*`: all but those of workloads; `undefined`: those that have one of the addresses. */
  readonly interfaceName: string | undefined;
  readonly addresses: readonly IpAddress[];
  /** In the order of a packet's way. A place is left out if nobody asks there, and everything passes. */
  readonly places: readonly HostPlacePolicy[];
}

/** What is asked at one place of a packet's way. */
export interface HostPlacePolicy {
  readonly hook: PolicyHook;
  readonly direction: Direction;
  readonly policy: EndpointPolicyRef;
}
