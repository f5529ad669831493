import { BfdSession, type BfdSettings, type Moment } from './bfd-session.ts';
import type { BfdState, ControlPacket } from './control-packet.ts';

export const FAST: BfdSettings = {
  transmitIntervalUs: 50_000,
  receiveIntervalUs: 50_000,
  detectMultiplier: 3,
  passive: false,
};

export type End = 'a' | 'b';

interface Flight {
  readonly to: End;
  readonly atUs: number;
  readonly packet: ControlPacket;
}

/**
 * Two sessions on a link that takes 1 ms and loses what it is told to lose, with a clock that only {@link run}
 * moves. For tests.
 */
export class SimulatedLink {
  nowUs = 0;
  /** Whether a packet gets lost; by default none does. */
  loses: (from: End, packet: ControlPacket) => boolean = () => false;
  /** Everything sent, lost or not. */
  readonly sent: { readonly from: End; readonly atUs: number; readonly packet: ControlPacket }[] =
    [];
  /** `a Up` and the like, with the instant. */
  readonly changes: { readonly end: End; readonly to: BfdState; readonly atUs: number }[] = [];
  readonly a: BfdSession;
  readonly b: BfdSession;
  readonly #random: () => number;
  #flights: Flight[] = [];

  constructor(a: Partial<BfdSettings> = {}, b: Partial<BfdSettings> = {}, random = () => 0.5) {
    this.#random = random;
    this.a = new BfdSession(0xa, { ...FAST, ...a }, this.moment());
    this.b = new BfdSession(0xb, { ...FAST, ...b }, this.moment());
  }

  moment(): Moment {
    return { nowUs: this.nowUs, random: this.#random() };
  }

  /** Carries out what a session wants. */
  apply(end: End, effects: ReturnType<BfdSession['expire']>): void {
    for (const effect of effects) {
      if (effect.type === 'changed') {
        this.changes.push({ end, to: effect.to, atUs: this.nowUs });
        continue;
      }
      const { packet } = effect;
      this.sent.push({ from: end, atUs: this.nowUs, packet });
      if (this.loses(end, packet)) continue;
      this.#flights.push({ to: end === 'a' ? 'b' : 'a', atUs: this.nowUs + 1000, packet });
    }
  }

  /** Lets `us` microseconds pass, or less if `until` comes true. */
  run(us: number, until: () => boolean = () => false): void {
    const endUs = this.nowUs + us;
    while (!until()) {
      const flight = this.#flights[0];
      const nextUs = Math.min(flight?.atUs ?? Infinity, this.a.dueUs, this.b.dueUs);
      if (nextUs > endUs) {
        this.nowUs = endUs;
        return;
      }
      this.nowUs = Math.max(this.nowUs, nextUs);
      if (flight && flight.atUs <= this.nowUs) this.#arrive(flight);
      else {
        for (const end of ['a', 'b'] as const) {
          if (this[end].dueUs <= this.nowUs) this.apply(end, this[end].expire(this.moment()));
        }
      }
    }
  }

  #arrive(flight: Flight): void {
    this.#flights = this.#flights.slice(1);
    this.apply(flight.to, this[flight.to].receive(flight.packet, this.moment()));
  }
}
