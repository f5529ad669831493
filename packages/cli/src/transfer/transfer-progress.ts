import type { CommandContext } from '../command.ts';
import { showProgress } from '../progress.ts';

/** Between two lines for a person who watches, and for a log. */
const EVERY_MS = { interactive: 200, log: 5000 } as const;

/** Shows how many keys have been dealt with, and stops the work when it is called off. */
export interface TransferProgress extends Disposable {
  /** @throws The reason of the signal, once it has aborted. */
  say(doing: string, keys: number): void;
}

export function transferProgress(context: CommandContext): TransferProgress {
  const { signal, isInteractive } = context;
  const progress = showProgress(context);
  const everyMs = isInteractive ? EVERY_MS.interactive : EVERY_MS.log;
  let saidAt = performance.now();
  return {
    say(doing, keys) {
      if (signal.aborted) throw new InterruptedError();
      if (performance.now() - saidAt < everyMs) return;
      saidAt = performance.now();
      progress.say(`${doing} ${keys.toLocaleString('en')} keys`);
    },
    [Symbol.dispose]: () => progress[Symbol.dispose](),
  };
}

/** Somebody pressed Ctrl-C. */
class InterruptedError extends Error {
  override readonly name = 'FailureError';

  constructor() {
    super('interrupted: run the same command again to finish');
  }
}
