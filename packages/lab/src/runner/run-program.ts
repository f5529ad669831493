import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';

export interface ProgramOptions {
  /** Written to its standard input. */
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Kills the program. */
  readonly signal?: AbortSignal | undefined;
  /** Exit codes that are no failure. Default: 0. */
  readonly accept?: readonly number[];
}

export interface ProgramResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A program ended with an exit code that is a failure, or could not be started. */
export class ProgramError extends Error {
  override readonly name = 'ProgramError';
  readonly argv: readonly string[];
  readonly exitCode: number;
  readonly stderr: string;

  constructor(argv: readonly string[], exitCode: number, stderr: string) {
    const reason = stderr.trim().replaceAll('\n', '; ');
    super(`${argv.join(' ')}: exit code ${exitCode}${reason && `: ${reason}`}`);
    this.argv = argv;
    this.exitCode = exitCode;
    this.stderr = stderr;
  }
}

/**
 * Runs a program to its end; never through a shell.
 *
 * @throws {ProgramError} If it fails.
 */
export async function runProgram(
  argv: readonly string[],
  { input = '', env, signal, accept = [0] }: ProgramOptions = {},
): Promise<ProgramResult> {
  const [program = '', ...args] = argv;
  const child = spawn(program, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    ...(env && { env }),
    ...(signal && { signal }),
  });
  child.stdin.on('error', () => {}); // It need not read its input.
  child.stdin.end(input);
  const [exitCode, stdout, stderr] = await Promise.all([
    new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code, killedBy) => resolve(code ?? (killedBy === null ? 1 : 128)));
    }),
    text(child.stdout),
    text(child.stderr),
  ]).catch((error: unknown) => {
    if (signal?.aborted) throw error;
    throw new ProgramError(argv, 127, error instanceof Error ? error.message : String(error));
  });
  if (!accept.includes(exitCode)) throw new ProgramError(argv, exitCode, stderr);
  return { exitCode, stdout, stderr };
}
