import type { SpeakerRequest, SpeakerSummary } from '@overland/bgp/node';

/** How far a speaker has been taken out of service. */
export type Drain = SpeakerSummary['drain'];

/** Asks for a phase; the answer is a {@link Drain}. */
export function drainRequest(phase: Drain['phase']): SpeakerRequest {
  return { method: 'POST', url: `/v1/bgp/drain?phase=${phase}` };
}

/** One line, without line feed. */
export function drainText({ phase, peersKeptDown }: Drain): string {
  switch (phase) {
    case 'active':
      return 'in service';
    case 'draining':
      return 'draining: all routes are the last choice of their peers';
    case 'drained':
      return `drained: ${peersKeptDown} ${peersKeptDown === 1 ? 'peer is' : 'peers are'} kept down`;
  }
}
