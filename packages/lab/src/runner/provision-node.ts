import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import type { Node } from '../topology/topology.ts';
import { enterNode, nodeEnvironment } from './enter-node.ts';
import { packagedProgram } from './lab-paths.ts';
import { ProgramError, runProgram } from './run-program.ts';
import { NodeStartError } from './start-node.ts';

/** A command of a node that failed; the lab goes on. */
export interface ExecFailure {
  readonly node: string;
  readonly command: string;
  readonly reason: string;
}

/** In the node's own memory, so it is gone when the node is. */
function doneMark(pid: number): string {
  return `/proc/${pid}/root/run/overland-lab.provisioned`;
}

/** Whether the node's commands have run to the end since it was made and wired. */
export function isProvisioned(pid: number): boolean {
  return existsSync(doneMark(pid));
}

/** Makes the next {@link runCommands} run the node's commands again: it has got a new link. */
export async function forgetProvisioning(pid: number): Promise<void> {
  await rm(doneMark(pid), { force: true });
}

/** Exit code of a recipe whose node is configured wrongly. */
const BAD_CONFIGURATION = 2;

/** Starts the programs of the node's image that do not run. @throws {NodeStartError} If that fails. */
export async function startPrograms(node: Node, pid: number, signal: AbortSignal): Promise<void> {
  if (node.kind === 'bridge') return;
  if (node.startupDelaySeconds > 0) {
    await pause(node.startupDelaySeconds * 1000, undefined, { signal });
  }
  const recipe = packagedProgram(`recipes/${node.recipe}`);
  const env = nodeEnvironment(node.environment);
  try {
    await runProgram(enterNode(pid, [recipe, ...node.command]), { env, signal });
  } catch (error) {
    if (!(error instanceof ProgramError)) throw error;
    const reason = error.stderr.trim() || `exit code ${error.exitCode}`;
    const lines = reason.split('\n').map((line) => `node ${node.name}: ${line}`);
    const isBadInput = error.exitCode === BAD_CONFIGURATION;
    throw new NodeStartError(lines.join('\n'), { isBadInput, cause: error });
  }
}

/** Runs the node's `exec` commands in order. As in containerlab, one that fails does not stop the others. */
export async function runCommands(
  node: Node,
  pid: number,
  signal: AbortSignal,
): Promise<ExecFailure[]> {
  const failures: ExecFailure[] = [];
  for (const argv of node.exec) {
    try {
      await runProgram(enterNode(pid, argv), { env: nodeEnvironment(node.environment), signal });
    } catch (error) {
      if (!(error instanceof ProgramError)) throw error;
      const reason = error.stderr.trim().split('\n').at(-1) || `exit code ${error.exitCode}`;
      failures.push({ node: node.name, command: argv.join(' '), reason });
    }
  }
  if (failures.length === 0) await writeFile(doneMark(pid), '');
  return failures;
}
