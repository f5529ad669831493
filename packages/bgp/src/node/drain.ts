import type { SpeakerConfig } from '../core/config.ts';

/**
 * How far a speaker has been taken out of service, for maintenance: `draining`, all its routes are the last choice on
 * both sides of every session (RFC 8326); `drained`, it has no sessions at all.
 */
export type DrainPhase = 'active' | 'draining' | 'drained';

export const DRAIN_PHASES = ['active', 'draining', 'drained'] as const satisfies DrainPhase[];

/** The configuration in force in a phase. */
export function configInPhase(config: SpeakerConfig, phase: DrainPhase): SpeakerConfig {
  switch (phase) {
    case 'active':
      return config;
    case 'draining':
      return {
        ...config,
        peers: config.peers.map((peer) => ({ ...peer, gracefulShutdown: true })),
        listenRanges: (config.listenRanges ?? []).map(({ peer, ...range }) => ({
          ...range,
          peer: { ...peer, gracefulShutdown: true },
        })),
      };
    case 'drained':
      return { ...config, peers: [], listenRanges: [] };
  }
}
