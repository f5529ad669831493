import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { ConvergedLab, DatastoreKind } from './converged-lab.ts';

const execute = promisify(execFile);

/** Node of the lab in which etcd runs. */
const MANAGEMENT = 'mgmt-net';

/** The datastore of a running lab, from outside. */
export interface LabDatastore {
  /** What is stored under a prefix. */
  entries(prefix: string): Promise<Record<string, string>>;
  /**
   * Takes it away: etcd no longer answers; SQLite's file is locked for writing by another process.
   *
   * @returns Gives it back.
   */
  takeAway(): Promise<() => Promise<void>>;
}

export function datastoreOf(lab: ConvergedLab, kind: DatastoreKind): LabDatastore {
  return kind === 'etcd' ? etcdOf(lab) : sqliteOf(lab);
}

function etcdOf(lab: ConvergedLab): LabDatastore {
  const options = {
    type: 'etcd',
    endpoints: [`http://${lab.topology.management.ipv4Gateway}:2379`],
  };
  return {
    async entries(prefix) {
      return JSON.parse(await lab.inNetwork(MANAGEMENT, ...listEntries(options, prefix)));
    },
    async takeAway() {
      await lab.run(MANAGEMENT, 'pkill', '-STOP', '-x', 'etcd');
      return async () => {
        await lab.run(MANAGEMENT, 'pkill', '-CONT', '-x', 'etcd');
      };
    },
  };
}

function sqliteOf(lab: ConvergedLab): LabDatastore {
  const path = `/run/overland/lab/${lab.topology.name}/files/datastore/datastore.db`;
  return {
    async entries(prefix) {
      const [program = '', ...args] = listEntries({ type: 'sqlite', path }, prefix);
      return JSON.parse((await execute(program, args)).stdout);
    },
    async takeAway() {
      const lock = `
        const { DatabaseSync } = require('node:sqlite');
        const database = new DatabaseSync(process.argv[1], { timeout: 10_000 });
        database.exec('BEGIN EXCLUSIVE');
        console.log('locked');
        process.stdin.resume().on('end', () => process.exit());
      `;
      const holder = spawn(process.execPath, ['-e', lock, path], {
        stdio: ['pipe', 'pipe', 'inherit'],
      });
      await once(holder.stdout, 'data');
      return async () => {
        const exit = once(holder, 'exit');
        holder.stdin.end();
        await exit;
      };
    },
  };
}

function listEntries(options: object, prefix: string): string[] {
  const script = fileURLToPath(new URL('./list-entries.ts', import.meta.url));
  return [
    process.execPath,
    '--conditions=@overland/source',
    '--disable-warning=ExperimentalWarning',
    script,
    JSON.stringify(options),
    prefix,
  ];
}
