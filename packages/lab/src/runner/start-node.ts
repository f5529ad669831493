import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Bind, Node } from '../topology/topology.ts';
import { type LabPaths, packagedProgram } from './lab-paths.ts';
import { mountPlan, parseMountPoints } from './mount-plan.ts';
import { MARKER } from './running-nodes.ts';

/** A node's namespaces or file system could not be made, or its programs do not start. */
export class NodeStartError extends Error {
  override readonly name = 'NodeStartError';
  /** The node's own configuration is at fault. */
  readonly isBadInput: boolean;

  constructor(
    message: string,
    { isBadInput = false, cause }: { isBadInput?: boolean; cause?: unknown } = {},
  ) {
    super(message, { cause });
    this.isBadInput = isBadInput;
  }
}

export interface NodeStart {
  readonly lab: string;
  /** Of the topology. */
  readonly file: string;
  readonly paths: LabPaths;
  /** Folder of the running Overland; nodes see it at the same place. */
  readonly checkout: string;
  /** PID 1 of the node whose network this one shares. */
  readonly networkOf?: number;
}

/**
 * Makes a node: network, mount, UTS, IPC and PID namespaces with a PID 1 of their own, which goes on without us.
 * Returns when its file system and settings are in place; it has no links yet.
 *
 * @throws {NodeStartError} With what the kernel or the shell said.
 */
export async function startNode(
  node: Pick<Node, 'name' | 'binds' | 'sysctls'>,
  { lab, file, paths, checkout, networkOf }: NodeStart,
): Promise<void> {
  const own = paths.node(node.name);
  for (const path of [own.root, own.log, own.disk]) await mkdir(path, { recursive: true });
  const mounts = parseMountPoints(await readFile('/proc/self/mountinfo', 'utf8'));
  const binds = mountPlan(node, { paths, mounts, checkout });
  for (const { source } of binds) await makeLabFolder(source, paths);

  const network = networkOf === undefined ? ['--net'] : [];
  const outer =
    networkOf === undefined ? [] : ['nsenter', '--target', String(networkOf), '--net', '--'];
  const argv = [
    ...outer,
    ...[
      'unshare',
      ...network,
      '--mount',
      '--uts',
      '--ipc',
      '--pid',
      '--fork',
      '--kill-child',
      '--',
    ],
    ...[packagedProgram('node-init'), node.name, own.root],
  ];
  const [program = '', ...args] = argv;
  const child = spawn(program, args, {
    detached: true, // Not ended by a Ctrl-C that is meant for us.
    stdio: ['pipe', 'pipe', 'pipe'],
    env: {
      PATH: process.env.PATH,
      [MARKER.lab]: lab,
      [MARKER.node]: node.name,
      [MARKER.file]: file,
    },
  });
  child.stdin.on('error', () => {});
  child.stdin.end(planText(binds, node.sysctls));
  let complaints = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    complaints += chunk;
  });
  child.stdout.setEncoding('utf8');
  const [said] = await Promise.race([once(child.stdout, 'data'), once(child.stdout, 'end')]);
  if (said !== 'ready\n') {
    await once(child, 'close');
    throw new NodeStartError(`node ${node.name} did not start: ${complaints.trim()}`);
  }
  for (const stream of [child.stdout, child.stderr]) stream.destroy();
  child.unref();
}

/** The plan that `node-init` reads. */
function planText(binds: readonly Bind[], sysctls: Readonly<Record<string, string>>): string {
  const steps = [
    ...Object.entries(sysctls).map(([key, value]) => ['sysctl', sysctlPath(key), value]),
    ...binds.map(({ mode, source, target }) => ['bind', mode, source, target]),
  ];
  return steps.map((step) => `${step.join('\t')}\n`).join('');
}

/** As sysctl(8): dots separate, unless a slash comes first; then the two change places. */
function sysctlPath(key: string): string {
  const separator = /[./]/.exec(key)?.[0];
  if (separator === '/') return key;
  return key.replaceAll(/[./]/g, (character) => (character === '.' ? '/' : '.'));
}

/** The lab's own folders are made when a bind names them, as Docker does. */
async function makeLabFolder(source: string, paths: LabPaths): Promise<void> {
  if (source.startsWith(`${paths.files}/`)) await mkdir(source, { recursive: true });
  else await mkdir(dirname(paths.files), { recursive: true });
}
