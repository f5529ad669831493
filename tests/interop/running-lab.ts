import { execFile } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import {
  bringUp,
  type ExecFailure,
  type LabState,
  observeLab,
  runningNodes,
  type Topology,
  takeDown,
} from '@overland/lab';

const execute = promisify(execFile);

/** The repository. */
export const ROOT = fileURLToPath(new URL('../../', import.meta.url)).replace(/\/$/, '');

/** A lab that runs until it is disposed. */
export interface RunningLab extends AsyncDisposable {
  readonly failures: readonly ExecFailure[];
  observe(): Promise<LabState>;
  /** Runs a command in a node; its standard output. */
  run(node: string, ...argv: readonly string[]): Promise<string>;
  /** The same command line in the node's network only: cheaper, for polling. */
  inNetwork(node: string, ...argv: readonly string[]): Promise<string>;
  pids(): Promise<ReadonlyMap<string, number>>;
}

/** Brings a lab up; does not wait for convergence. */
export async function startLab(topology: Topology): Promise<RunningLab> {
  const up = () =>
    bringUp(topology, {
      checkout: ROOT,
      overland: [process.execPath, `${ROOT}/packages/cli/dist/bin.js`],
      signal: new AbortController().signal,
      progress: () => {},
    });
  const failures = await up();
  const pids = async () =>
    new Map((await runningNodes(topology.name)).map(({ node, pid }) => [node, pid]));
  const enter = async (node: string, flags: readonly string[], argv: readonly string[]) => {
    const pid = (await pids()).get(node);
    const { stdout } = await execute('nsenter', ['-t', String(pid), ...flags, '--', ...argv]);
    return stdout;
  };
  return {
    failures,
    observe: () => observeLab(topology.name),
    run: (node, ...argv) => enter(node, ['-m', '-u', '-i', '-n', '-p'], argv),
    inNetwork: (node, ...argv) => enter(node, ['-n'], argv),
    pids,
    async [Symbol.asyncDispose]() {
      await takeDown(topology.name);
    },
  };
}

/** The same lab without some of its nodes, and the links to them. */
export function withoutNodes(topology: Topology, recipe: string): Topology {
  const nodes = topology.nodes.filter((node) => node.recipe !== recipe);
  const names = new Set(nodes.map(({ name }) => name));
  const links = topology.links.filter(({ endpoints }) =>
    endpoints.every(({ node }) => names.has(node)),
  );
  const has = (node: string, device: string): boolean =>
    links.some(({ endpoints }) =>
      endpoints.some((end) => end.node === node && end.interface === device),
    );
  return {
    ...topology,
    links,
    nodes: nodes.map((node) => ({
      ...node,
      exec: node.exec.filter((argv) => {
        const device = argv[argv.indexOf('dev') + 1] ?? 'lo';
        return device === 'lo' || has(node.name, device);
      }),
    })),
  };
}

/** Polls until `check` returns something other than `undefined`; throws what it last threw, or `what`, at the deadline. */
export async function eventually<T>(
  what: string,
  deadlineMs: number,
  check: () => Promise<T | undefined>,
): Promise<T> {
  const end = performance.now() + deadlineMs;
  let last: unknown = new Error(`${what}: not within ${deadlineMs} ms`);
  for (;;) {
    try {
      const value = await check();
      if (value !== undefined) return value;
    } catch (error) {
      last = error;
    }
    if (performance.now() > end) throw last;
    await pause(20);
  }
}
