import { createReadStream } from 'node:fs';
import { resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { MrtDescriber, MrtError, MrtReader } from '@overland/bgp/mrt';
import { type CommandContext, FailureError, UsageError } from '../command.ts';

/** Prints the records of an MRT file as JSON, a line each. @returns The exit code. */
export async function decodeMrtFile(
  { stdin, stdout, signal, workingDirectory }: CommandContext,
  given: string,
): Promise<number> {
  const input = given === '-' ? stdin : createReadStream(resolve(workingDirectory, given));
  try {
    await pipeline(Readable.from(linesOf(input)), stdout, { signal, end: false });
  } catch (error) {
    if (error instanceof MrtError) throw new FailureError(`${given}: ${error.message}`);
    const { code, syscall } = error as NodeJS.ErrnoException;
    if (syscall === undefined) throw error;
    throw new UsageError(`cannot read ${given}: ${code}`);
  }
  return 0;
}

async function* linesOf(input: Readable): AsyncGenerator<string> {
  const reader = new MrtReader();
  const describer = new MrtDescriber();
  for await (const chunk of input as AsyncIterable<Uint8Array>) {
    reader.push(chunk);
    for (let record = reader.next(); record; record = reader.next()) {
      yield `${JSON.stringify(describer.describe(record))}\n`;
    }
  }
  reader.end();
}
