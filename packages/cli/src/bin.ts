#!/usr/bin/env node
import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { coloursFor } from './colours.ts';
import { runProgram } from './program.ts';

// Not in the temporary directory, which is the default: what others may write is not to be run. Commands start some
// 15 ms sooner; a process that stays would only keep more code in memory.
const [noun, verb] = process.argv.slice(2);
const stays = noun === 'agent' || ((noun === 'bgp' || noun === 'bfd') && verb === 'run');
if (!stays) {
  enableCompileCache(
    fileURLToPath(new URL('../../../node_modules/.cache/overland', import.meta.url)),
  );
} else {
  // New spaces stay as small as they begin, in every thread: a start would grow them to many megabytes, which V8 keeps.
  // Set here and not on a command line, so that it holds however the process is started.
  setFlagsFromString('--semi-space-growth-factor=1');
}

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
