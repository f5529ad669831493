import { resolve } from 'node:path';
import { replayTraceFile, TraceError } from '@overland/bgp/node';
import { command, UsageError } from '../command.ts';

/** `bgp replay-trace FILE` - what a speaker was told, again: does the same come of it? */
export const bgpReplayTrace = command({
  name: 'bgp replay-trace',
  summary: 'Replay what overland bgp run --record has written, and compare the effects',
  description: `Needs no network, no root and no time: clock, sockets and chance are in the file. Prints how many lines had the same effects, or the first one that had
others, as it was recorded and as it is now; exit code 1 then.`,
  arguments: { file: { summary: 'a trace' } },
  options: {},
  examples: [
    [
      'overland bgp replay-trace trace.jsonl',
      'does this version do what bgp run --record wrote down?',
    ],
    ['overland bgp replay-trace -- -odd-name.jsonl', 'of a file whose name begins with a dash'],
  ],
  async handle({ workingDirectory, stdout, signal }, { file }) {
    try {
      const { lines, difference } = await replayTraceFile(resolve(workingDirectory, file), signal);
      if (!difference) {
        stdout.write(`${lines} lines, the same effects\n`);
        return 0;
      }
      const { line, recorded, now } = difference;
      stdout.write(`line ${line} has other effects\nrecorded: ${recorded}\nnow:      ${now}\n`);
      return 1;
    } catch (error) {
      if (!(error instanceof TraceError)) throw error;
      throw new UsageError(`${file}: ${error.message}`);
    }
  },
});
