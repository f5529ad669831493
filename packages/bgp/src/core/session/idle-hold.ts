import { BackOff } from './back-off.ts';
import type { PrefixLimit } from './prefix-limit.ts';

/**
 * Why a peer stays in Idle, and for how long: damping of peer oscillation (RFC 4271 section 8.1.1), or a limit of
 * prefixes that it has passed.
 */
export class IdleHold {
  readonly #backOff = new BackOff();
  #isOn = false;
  /** The peer went above its limit: Idle until then, monotonic milliseconds. */
  #downUntilMs: number | undefined;

  /** Whether the peer waits now. */
  get isOn(): boolean {
    return this.#isOn;
  }

  /** Whether that is, or will be, because of its limit. */
  get isPenalty(): boolean {
    return this.#downUntilMs !== undefined;
  }

  /** @param lastedMs How long the session had been Established; 0 if it never was. */
  failed(lastedMs: number): void {
    this.#backOff.failed(lastedMs);
  }

  /** The peer went above its limit. @param seconds `Infinity`: until its limit is another one. */
  penalise(seconds: number, nowMs: number): void {
    this.#downUntilMs = nowMs + 1000 * seconds;
  }

  /** Earlier failures count no more; a penalty does. */
  forgive(): void {
    this.#backOff.reset();
  }

  /**
   * Begins to wait, if there is a reason.
   *
   * @param jitter What times are multiplied by; a penalty is exact.
   * @returns Seconds; 0: there is none, `Infinity`: no timer ends it.
   */
  begin(nowMs: number, jitter: number): number {
    const seconds =
      this.#downUntilMs === undefined
        ? this.#backOff.seconds * jitter
        : Math.max(0, this.#downUntilMs - nowMs) / 1000;
    this.#isOn = seconds > 0;
    return seconds;
  }

  /** The time is over. */
  expired(): void {
    this.#isOn = false;
    this.#downUntilMs = undefined;
  }

  /** Ends the wait early, but not its reason. @returns Whether there was one. */
  end(): boolean {
    const was = this.#isOn;
    this.#isOn = false;
    return was;
  }

  /** Another limit is another chance. @returns Whether it takes a penalty away. */
  limitChanged(before: PrefixLimit | undefined, after: PrefixLimit | undefined): boolean {
    if (!this.isPenalty || JSON.stringify(before) === JSON.stringify(after)) return false;
    this.#downUntilMs = undefined;
    this.#backOff.reset();
    return true;
  }
}
