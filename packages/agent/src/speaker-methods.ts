import type { InterfaceState, RoutePage, RouteQuery, SpeakerConfig } from '@overland/bgp';
import type { SpeakerSummary } from '@overland/bgp/node';
import type { Prefix } from '@overland/net';
import type { HealthMethods } from './thread-health.ts';

/** What the speaker answers to main. */
export type SpeakerMethods = HealthMethods & {
  /** `null` before the first configuration. */
  summary: () => SpeakerSummary | null;
  /** A page of the Loc-RIB. */
  routes: (query: RouteQuery) => RoutePage;
};

/** What the speaker answers to the store. */
export type SpeakerForStore = {
  configure: (config: SpeakerConfig) => Promise<void>;
  /** Whether the prefixes, of the last configuration, came to be offered to a peer within the time. */
  offered: (prefixes: readonly Prefix[], timeoutMs: number) => Promise<boolean>;
};

/** What the speaker answers to the dataplane. */
export type SpeakerForDataplane = {
  setInterfaces: (interfaces: readonly InterfaceState[]) => void;
};
