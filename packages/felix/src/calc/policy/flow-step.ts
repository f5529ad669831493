import type { Action, Judgement } from './judge-packet.ts';
import type { Direction } from './policy-view.ts';

/** Where on its way a packet is judged, and how. */
export interface FlowStep {
  readonly place: string;
  readonly direction: Direction;
  readonly action: Action;
  /** `undefined`: nobody was asked, for the reason in `note`. */
  readonly judgement: Judgement | undefined;
  readonly note: string | undefined;
  /** What would let it through, where it does not: rules that nearly do, and what they miss. */
  readonly hints: readonly string[];
}

/** What is let through without a question to anybody. */
export function openStep(place: string, direction: Direction, note: string): FlowStep {
  return { place, direction, action: 'allow', judgement: undefined, note, hints: [] };
}
