import type { AddressWishes } from '@overland/cni';

/** So long a failure is believed: somebody may have made a pool meanwhile. */
const BELIEVED_MS = 30_000;

/**
 * Remembers that there was no address to be had, until one is given back or assigned, or for a while: looking
 * through all blocks of the cluster whenever a runtime asks for the status of every host would cost too much.
 */
export class ExhaustedPools {
  readonly #found = new Map<string, { readonly reason: string; readonly untilMs: number }>();
  readonly #now: () => number;

  /** @param now Milliseconds, monotonic. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Runs an assignment, and remembers what it says. */
  async watch<T>(wishes: AddressWishes, assign: () => Promise<T>): Promise<T> {
    const key = keyOf(wishes);
    try {
      const assigned = await assign();
      this.#found.delete(key);
      return assigned;
    } catch (error) {
      if (error instanceof Error && error.name === 'NoAddressError') {
        this.#found.set(key, { reason: error.message, untilMs: this.#now() + BELIEVED_MS });
      }
      throw error;
    }
  }

  /** Addresses have been given back. */
  released(): void {
    this.#found.clear();
  }

  /** Why there is no address to be had, as far as is known. */
  reason(wishes: AddressWishes): string | undefined {
    const found = this.#found.get(keyOf(wishes));
    return found && this.#now() < found.untilMs ? found.reason : undefined;
  }
}

function keyOf({ families = [], pools = [] }: AddressWishes): string {
  return JSON.stringify([families, pools]);
}
