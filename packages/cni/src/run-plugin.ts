import { spawn } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { join } from 'node:path';
import { CNI_CODE, CniError } from './cni-error.ts';
import type { PluginRun } from './cni-host.ts';

/** How long another plugin may take, milliseconds. */
const TIMEOUT_MS = 30_000;
const OUTPUT_LIMIT_OCTETS = 1_048_576;

/** How a plugin ended. */
interface PluginEnd {
  /** `null`: it was killed. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs another plugin to its end. @returns What it prints, parsed. @throws {CniError} */
export async function runPlugin({ type, path, env, stdin }: PluginRun): Promise<unknown> {
  const file = await findPlugin(type, path);
  const { code, stdout, stderr } = await execute(file, env, stdin, TIMEOUT_MS);
  const answer = parseAnswer(stdout);
  if (code === 0) return answer;
  const failure = answer as { code?: unknown; msg?: unknown } | undefined;
  const said = typeof failure?.msg === 'string' ? failure.msg : stderr.trim().slice(0, 500);
  const reason = said || (code === null ? 'it took too long' : `exit code ${code}`);
  const known = typeof failure?.code === 'number' ? failure.code : CNI_CODE.internal;
  throw new CniError(known, `${type}: ${reason}`);
}

/** Runs a program with nothing but the given environment. A program that cannot be started ends with code 127. */
export async function execute(
  file: string,
  env: Readonly<Record<string, string>>,
  stdin: string,
  timeoutMs: number,
): Promise<PluginEnd> {
  const child = spawn(file, [], {
    env: { ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
  });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  const collect = (into: Buffer[]) => {
    let size = 0;
    return (chunk: Buffer): void => {
      size += chunk.length;
      if (size > OUTPUT_LIMIT_OCTETS) child.kill('SIGKILL');
      else into.push(chunk);
    };
  };
  child.stdout.on('data', collect(stdout));
  child.stderr.on('data', collect(stderr));
  // It may end without having read everything.
  child.stdin.on('error', () => undefined);
  child.stdin.end(stdin);
  return await new Promise((resolve) => {
    const text = (chunks: Buffer[]): string => Buffer.concat(chunks).toString('utf8');
    child.on('error', ({ message }) => resolve({ code: 127, stdout: '', stderr: message }));
    child.on('close', (code) => resolve({ code, stdout: text(stdout), stderr: text(stderr) }));
  });
}

async function findPlugin(type: string, path: readonly string[]): Promise<string> {
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(type)) {
    throw new CniError(CNI_CODE.invalidConfiguration, `ipam.type is '${type}': it names no plugin`);
  }
  for (const directory of path) {
    const file = join(directory, type);
    try {
      await access(file, constants.X_OK);
      return file;
    } catch {
      // In another directory, perhaps.
    }
  }
  throw new CniError(
    CNI_CODE.invalidConfiguration,
    `ipam.type is '${type}': there is no such plugin in CNI_PATH (${path.join(':') || 'empty'})`,
  );
}

function parseAnswer(stdout: string): unknown {
  if (stdout.trim() === '') return undefined;
  try {
    return JSON.parse(stdout);
  } catch {
    return undefined;
  }
}
