import { execFile } from 'node:child_process';
import type { ArchiveFile } from './tar-archive.ts';

/** One thing to put into the archive. */
export interface Collector {
  /** In the archive; `.txt` is added unless it ends in `.json`. */
  readonly name: string;
  /** @returns Its text; `note` says what is missing of it. */
  collect(signal: AbortSignal): Promise<Collected>;
}

export interface Collected {
  readonly text: string;
  readonly note?: string;
}

/** What became of a collector. */
export interface Outcome {
  readonly name: string;
  /** Why there is nothing, or less than there should be; `undefined` if all is well. */
  readonly trouble: string | undefined;
  readonly seconds: number;
}

export interface Collection {
  readonly files: readonly ArchiveFile[];
  readonly outcomes: readonly Outcome[];
}

const DEADLINE_MS = 15_000;
const GRACE_MS = 500;
const AT_ONCE = 4;
const MOST_OCTETS = 16 * 1024 * 1024;

/**
 * Runs all collectors, a few at a time, each with a deadline of 15 seconds. One that fails is an outcome, not an
 * error. Texts pass through `scrub`.
 */
export async function collectAll(
  collectors: readonly Collector[],
  {
    scrub,
    signal,
    onDone,
    deadlineMs = DEADLINE_MS,
  }: {
    readonly scrub: (text: string) => string;
    readonly signal: AbortSignal;
    readonly onDone: (done: number) => void;
    readonly deadlineMs?: number;
  },
): Promise<Collection> {
  const files: ArchiveFile[] = [];
  const outcomes: Outcome[] = [];
  const left = [...collectors];
  const work = async (): Promise<void> => {
    for (let next = left.shift(); next; next = left.shift()) {
      signal.throwIfAborted();
      const { outcome, text } = await collectOne(next, signal, deadlineMs);
      outcomes.push(outcome);
      if (text !== undefined) {
        const path = next.name.endsWith('.json') ? next.name : `${next.name}.txt`;
        files.push({ path, content: Buffer.from(scrub(text)), modified: new Date() });
      }
      onDone(outcomes.length);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  const byName = (a: { readonly name: string }, b: { readonly name: string }): number =>
    a.name < b.name ? -1 : 1;
  const trouble = outcomes.map(({ trouble, ...rest }) => ({
    ...rest,
    trouble: trouble === undefined ? undefined : scrub(trouble),
  }));
  return {
    files: files.toSorted((a, b) => (a.path < b.path ? -1 : 1)),
    outcomes: trouble.toSorted(byName),
  };
}

async function collectOne(
  { name, collect }: Collector,
  signal: AbortSignal,
  deadlineMs: number,
): Promise<{ readonly outcome: Outcome; readonly text?: string }> {
  const started = performance.now();
  const seconds = (): number => (performance.now() - started) / 1000;
  const deadline = AbortSignal.timeout(deadlineMs);
  // Whoever heeds the signal has a moment to hand over what there is.
  const end = AbortSignal.timeout(deadlineMs + GRACE_MS);
  try {
    const { text, note } = await Promise.race([
      collect(AbortSignal.any([signal, deadline])),
      rejectOn(end, `no answer within ${deadlineMs / 1000} s`),
    ]);
    return { outcome: { name, trouble: note, seconds: seconds() }, text };
  } catch (error) {
    const trouble = error instanceof Error ? error.message : String(error);
    return { outcome: { name, trouble, seconds: seconds() } };
  }
}

function rejectOn(signal: AbortSignal, message: string): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(new Error(message)));
  });
}

/** The output of a program; what it had written when it failed or was stopped is kept. */
export function outputOf(argv: readonly string[], signal: AbortSignal): Promise<Collected> {
  const [program = '', ...args] = argv;
  return new Promise((resolve, reject) => {
    const options = { signal, maxBuffer: MOST_OCTETS, killSignal: 'SIGKILL' } as const;
    execFile(program, args, options, (error, stdout, stderr) => {
      if (!error) {
        resolve({ text: stdout });
        return;
      }
      const trouble = reasonOf(error, program, stderr);
      if (stdout === '') reject(new Error(trouble));
      else resolve({ text: stdout, note: trouble });
    });
  });
}

function reasonOf(error: Error & { code?: unknown }, program: string, stderr: string): string {
  if (error.code === 'ENOENT') return `${program} is not installed`;
  if (error.name === 'AbortError') return 'stopped: it took too long';
  if (error.code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER') {
    return `cut off after ${MOST_OCTETS / 1024 / 1024} MiB`;
  }
  return stderr.trim().split('\n')[0] || error.message;
}
