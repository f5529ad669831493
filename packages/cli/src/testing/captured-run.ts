import { Readable, Writable } from 'node:stream';
import { coloursFor } from '../colours.ts';
import type { CommandContext } from '../command.ts';
import { runProgram } from '../program.ts';
import type { RegistryEntry } from '../registry.ts';

/** What a command came to. */
export interface CapturedRun {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface RunOptions extends Partial<Pick<CommandContext, 'env' | 'signal'>> {
  readonly stdin?: string | Buffer;
  readonly workingDirectory?: string;
  /** Called with all of standard output, after each write. */
  readonly onOutput?: (out: string) => void;
  /** Default: all of the program's. */
  readonly commands?: readonly RegistryEntry[];
}

/** Runs the program in this process, away from any terminal, and keeps what it writes. */
export async function captureRun(
  args: readonly string[],
  { env = {}, signal, stdin = '', workingDirectory = '/', onOutput, commands }: RunOptions = {},
): Promise<CapturedRun> {
  const written = { out: '', err: '' };
  const sink = (key: 'out' | 'err'): Writable =>
    new Writable({
      decodeStrings: false,
      write(chunk, _encoding, done) {
        written[key] += String(chunk);
        if (key === 'out') onOutput?.(written.out);
        done();
      },
    });
  const context: CommandContext = {
    stdin: Readable.from([Buffer.from(stdin)]),
    stdout: sink('out'),
    stderr: sink('err'),
    signal: signal ?? new AbortController().signal,
    env,
    workingDirectory,
    isRoot: false,
    isInteractive: false,
    colours: coloursFor({}, {}),
  };
  const code = await runProgram(args, context, commands);
  return { code, ...written };
}
