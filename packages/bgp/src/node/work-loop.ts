/** CPU time of one turn, milliseconds. Timers and sockets have their say between turns. */
const TURN_MS = 5;

/** One kind of work. Each call does a little and returns whether there is more that can be done now. */
export type Worker = (deadlineMs: number) => boolean;

/**
 * Does work in turns, so that no task of the speaker's thread is long (invariant 5 of the architecture). A
 * turn gives every worker a share; the loop sleeps when none has anything to do.
 */
export class WorkLoop {
  readonly #workers: readonly Worker[];
  readonly #rests: () => void;
  #scheduled: NodeJS.Immediate | undefined;
  #stopped = false;
  #longestTurnMs = 0;

  /**
   * @param workers In the order in which they have their share.
   * @param rests Called after a turn that leaves nothing that could be done now.
   */
  constructor(workers: readonly Worker[], rests: () => void = () => undefined) {
    this.#workers = workers;
    this.#rests = rests;
  }

  /** CPU time of the longest turn so far, milliseconds. */
  get longestTurnMs(): number {
    return this.#longestTurnMs;
  }

  /** There may be something to do. Cheap, and never runs anything by itself. */
  wake(): void {
    if (this.#scheduled || this.#stopped) return;
    this.#scheduled = setImmediate(() => this.#turn());
  }

  stop(): void {
    this.#stopped = true;
    if (this.#scheduled) clearImmediate(this.#scheduled);
    this.#scheduled = undefined;
  }

  #turn(): void {
    this.#scheduled = undefined;
    const before = process.threadCpuUsage();
    const share = TURN_MS / this.#workers.length;
    let more = false;
    for (const worker of this.#workers) {
      if (worker(performance.now() + share)) more = true;
      if (this.#stopped) return;
    }
    const { user, system } = process.threadCpuUsage(before);
    this.#longestTurnMs = Math.max(this.#longestTurnMs, (user + system) / 1000);
    if (more) this.wake();
    else this.#rests();
  }
}
