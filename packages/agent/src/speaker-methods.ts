import type { InterfaceState, SpeakerConfig } from '@overland/bgp';
import type { SpeakerPort } from '@overland/bgp/speaker-api';
import type { Prefix } from '@overland/net';
import type { HealthMethods } from './thread-health.ts';

/** What the speaker answers to main: what operators ask, and its health. */
export type SpeakerMethods = HealthMethods & {
  [K in keyof SpeakerPort]: SpeakerPort[K];
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
