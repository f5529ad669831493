import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { TestNamespace } from '@overland/linux/testing';
import { OVERLAND } from './agent.ts';

const run = promisify(execFile);

export interface OverlandRun {
  /** Besides that of the test. */
  readonly env: Readonly<Record<string, string>>;
  readonly stdin?: string;
}

/** Runs `overland ARGS` in a namespace. @returns Its standard output. @throws If it fails. */
export async function runOverland(
  { name }: TestNamespace,
  args: readonly string[],
  { env, stdin = '' }: OverlandRun,
): Promise<string> {
  const [program, ...argv] = OVERLAND;
  const enter = ['netns', 'exec', name, program, ...argv, ...args];
  const running = run('ip', enter, { env: { ...process.env, ...env } });
  running.child.stdin?.end(stdin);
  return (await running).stdout;
}

/** `overland apply` of resources. */
export function applyResources(
  namespace: TestNamespace,
  resources: readonly object[],
  env: OverlandRun['env'],
): Promise<string> {
  const stdin = resources.map((resource) => JSON.stringify(resource)).join('\n---\n');
  return runOverland(namespace, ['apply', '-f', '-'], { env, stdin });
}
