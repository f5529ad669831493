import type { CommandContext } from './command.ts';

/** What a long command is doing, on standard error: one line that is rewritten for a person, a line per change otherwise. */
export interface Progress extends Disposable {
  /** Replaces what was shown. */
  say(what: string): void;
}

/** Starts showing; disposing clears the line. */
export function showProgress({
  stderr,
  isInteractive,
}: Pick<CommandContext, 'stderr' | 'isInteractive'>): Progress {
  const started = performance.now();
  let last = '';
  return {
    say(what) {
      const seconds = ((performance.now() - started) / 1000).toFixed(1);
      if (isInteractive) stderr.write(`\r\u001B[K[${seconds} s] ${what}`);
      else if (what !== last) stderr.write(`[${seconds} s] ${what}\n`);
      last = what;
    },
    [Symbol.dispose]() {
      if (isInteractive && last !== '') stderr.write('\r\u001B[K');
    },
  };
}
