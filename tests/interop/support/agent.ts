import { execFile } from 'node:child_process';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AgentClient, agentClient } from '@overland/agent/client';
import type { TestNamespace } from '@overland/linux/testing';
import { Daemon } from './daemon.ts';

/** The command line, from its sources. */
export const OVERLAND = [
  process.execPath,
  '--conditions=@overland/source',
  join(import.meta.dirname, '../../../packages/cli/src/bin.ts'),
] as const;

/** One host: a namespace, a state directory, and the agent, which comes and goes. */
export interface AgentHost extends AsyncDisposable {
  readonly client: AgentClient;
  readonly stateDirectory: string;
  /** Starts the agent; it may need a while to be ready. */
  start(): void;
  kill(signal: NodeJS.Signals): Promise<void>;
  /** The last that the agent has logged. */
  readonly log: string;
  /** Runs a second agent to its end. */
  runToEnd(): Promise<{ readonly code: number; readonly stderr: string }>;
}

/**
 * @param settings Of the agent; files that are not named lie in the host's own directory.
 * @param manifests Resources to create at start.
 */
export async function agentHost(
  namespace: TestNamespace,
  settings: Readonly<Record<string, unknown>>,
  manifests: readonly object[],
): Promise<AgentHost> {
  const directory = await mkdtemp(join(tmpdir(), 'agent-'));
  const file = join(directory, 'agent.yaml');
  const socket = join(directory, 'agent.sock');
  const bootstrapFile = join(directory, 'bootstrap.yaml');
  const all = {
    apiSocket: socket,
    bfdSocket: join(directory, 'bfd.sock'),
    stateDirectory: directory,
    sqlitePath: join(directory, 'datastore.db'),
    bootstrapFile,
    ...settings,
  };
  await writeFile(file, JSON.stringify(all));
  const documents = manifests.map((manifest) => JSON.stringify(manifest));
  await writeFile(bootstrapFile, documents.join('\n---\n'));
  const argv = [...OVERLAND, 'agent', '--config', file];
  let daemon: Daemon | undefined;
  return {
    client: agentClient(socket),
    stateDirectory: directory,
    start() {
      daemon = new Daemon(namespace, argv);
    },
    async kill(signal) {
      await daemon?.kill(signal);
    },
    get log() {
      return daemon?.output ?? '';
    },
    runToEnd: () =>
      new Promise((resolve) => {
        const enter = ['netns', 'exec', namespace.name, ...argv];
        execFile('ip', enter, (error, _stdout, stderr) =>
          resolve({ code: Number(error?.code ?? 0), stderr }),
        );
      }),
    async [Symbol.asyncDispose]() {
      await daemon?.kill('SIGKILL');
    },
  };
}
