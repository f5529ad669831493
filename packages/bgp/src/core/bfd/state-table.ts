import { type BfdState, Diagnostic } from './control-packet.ts';

type Step = readonly [next: BfdState, diagnostic: number];

const init: Step = ['Init', Diagnostic.None];
const up: Step = ['Up', Diagnostic.None];
const signaledDown: Step = ['Down', Diagnostic.NeighbourSignaledDown];

/**
 * RFC 5880 section 6.8.6 as a table: a row per own state, a cell per state in the received packet. An absent cell
 * changes nothing. AdminDown has no row: only the operator leads out of it.
 */
const TRANSITIONS: Readonly<Record<BfdState, Partial<Record<BfdState, Step>>>> = {
  AdminDown: {},
  Down: { Down: init, Init: up },
  Init: { AdminDown: signaledDown, Init: up, Up: up },
  Up: { AdminDown: signaledDown, Down: signaledDown },
};

/** What a packet in state `received` makes of a session in state `own`; `undefined`: nothing. */
export function transition(own: BfdState, received: BfdState): Step | undefined {
  return TRANSITIONS[own][received];
}
