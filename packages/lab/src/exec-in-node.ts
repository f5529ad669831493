import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { NoLabError } from './observe/observe-lab.ts';
import { runningTopology } from './runner/bring-up.ts';
import { enterNode, nodeEnvironment } from './runner/enter-node.ts';
import { runningNodes } from './runner/running-nodes.ts';

/**
 * Runs a command in a node, on our own terminal.
 *
 * @returns its exit code; 128 + n if signal n ended it.
 * @throws {NoLabError} If the lab or the node does not run.
 */
export async function execInNode(
  lab: string,
  node: string,
  argv: readonly string[],
): Promise<number> {
  const nodes = await runningNodes(lab);
  const pid = nodes.find((one) => one.node === node)?.pid;
  if (pid === undefined) {
    const names =
      nodes
        .map((one) => one.node)
        .toSorted()
        .join(', ') || 'none';
    throw new NoLabError(`lab '${lab}' has no running node '${node}'; there are ${names}`);
  }
  const settings = (await runningTopology(lab))?.nodes.find(({ name }) => name === node);
  const terminal = process.env.TERM === undefined ? {} : { TERM: process.env.TERM };
  const [program = '', ...args] = enterNode(pid, argv);
  const child = spawn(program, args, {
    stdio: 'inherit',
    env: { ...nodeEnvironment(settings?.environment ?? {}), ...terminal },
  });
  const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  return code ?? 128 + constants.signals[signal ?? 'SIGKILL'];
}
