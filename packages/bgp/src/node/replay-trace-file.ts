import { open } from 'node:fs/promises';
import { TraceError, TraceReplay } from '../core/trace/trace-replay.ts';

/** What has come of replaying a trace. */
export interface ReplayOutcome {
  /** Lines replayed with the same effects. */
  readonly lines: number;
  /** The first line from which something else comes now. */
  readonly difference?: { readonly line: number; readonly recorded: string; readonly now: string };
}

/**
 * Replays a trace until something else comes of it than was recorded.
 *
 * @throws {TraceError} With the number of the line, if the file is no trace or cannot be read.
 */
export async function replayTraceFile(path: string, signal: AbortSignal): Promise<ReplayOutcome> {
  const replay = new TraceReplay();
  let lines = 0;
  await using file = await openTrace(path);
  for await (const recorded of file.readLines({ signal, autoClose: false })) {
    let now: string;
    try {
      now = replay.replay(recorded);
    } catch (error) {
      if (!(error instanceof TraceError)) throw error;
      throw new TraceError(`line ${lines + 1}: ${error.message}`, { cause: error });
    }
    if (now !== recorded) return { lines, difference: { line: lines + 1, recorded, now } };
    lines += 1;
  }
  if (lines === 0) throw new TraceError('the file is empty');
  return { lines };
}

async function openTrace(path: string) {
  try {
    return await open(path);
  } catch (error) {
    const { code = String(error) } = error as NodeJS.ErrnoException;
    throw new TraceError(`cannot read ${path}: ${code}`, { cause: error });
  }
}
