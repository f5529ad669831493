import type { CommandContext } from '../command.ts';
import { showProgress } from '../progress.ts';
import type { ItemResult } from './run-items.ts';

/** A person sees it move; a log gets a line now and then. */
const INTERACTIVE_MS = 100;
const LOG_MS = 5000;
/** Shorter work needs no progress. */
const QUIET_MS = 1000;

/** Counts what has been dealt with. */
export interface ItemProgress extends Disposable {
  readonly onResult: (result: ItemResult) => void;
}

/** Shows how far a long run over items has come; disposing clears it. */
export function itemProgress(
  context: Pick<CommandContext, 'stderr' | 'isInteractive'>,
  {
    total,
    done,
    now = () => performance.now(),
  }: {
    readonly total: number;
    /** What is done with each: `applied`. */
    readonly done: string;
    /** Milliseconds. */
    readonly now?: () => number;
  },
): ItemProgress {
  const progress = showProgress(context);
  const started = now();
  const interval = context.isInteractive ? INTERACTIVE_MS : LOG_MS;
  let shown = started + (context.isInteractive ? QUIET_MS - INTERACTIVE_MS : 0);
  let count = 0;
  let failed = 0;
  return {
    onResult({ outcome }) {
      count++;
      if (outcome === 'failed') failed++;
      const at = now();
      if (at - shown < interval) return;
      shown = at;
      progress.say(
        `${done} ${count - failed} of ${total}${failed > 0 ? `, ${failed} failed` : ''}`,
      );
    },
    [Symbol.dispose]: () => progress[Symbol.dispose](),
  };
}
