#!/usr/bin/env node
import { coloursFor } from './colours.ts';
import { runProgram } from './program.ts';

// A reader that has seen enough (`overland … | head`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort(signal));

const exitCode = await runProgram(process.argv.slice(2), {
  // Opened when a command asks for it: an open one can keep the process alive.
  get stdin() {
    return process.stdin;
  },
  stdout: process.stdout,
  stderr: process.stderr,
  signal: stop.signal,
  env: process.env,
  workingDirectory: process.cwd(),
  isRoot: process.geteuid?.() === 0,
  isInteractive: process.stderr.isTTY === true,
  colours: coloursFor(process.stdout, process.env),
});
process.exit(exitCode);
