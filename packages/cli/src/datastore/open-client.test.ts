import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { command } from '../command.ts';
import { captureRun } from '../testing/captured-run.ts';
import { CONNECTION_OPTIONS } from './connection-options.ts';
import { openClient } from './open-client.ts';

function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'overland-client-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  return directory;
}

/** Runs a command that lists pools in the datastore of `env`. */
async function listPools(env: Record<string, string>, mayCreate: boolean) {
  const probe = command({
    name: 'probe',
    summary: 'List pools',
    options: CONNECTION_OPTIONS,
    examples: [
      ['overland probe', 'one'],
      ['overland probe -c file', 'two'],
    ],
    async handle(context, { config }) {
      await using open = await openClient(context, { config, mayCreate });
      context.stdout.write(`${open.place} ${(await open.client.list('IPPool')).resources.length}`);
      return 0;
    },
  });
  const commands = [{ name: 'probe', summary: 'List pools', load: async () => probe }];
  return captureRun(['probe'], { env, commands });
}

test('a command that reads makes no SQLite file; one that writes does', async () => {
  const path = join(temporaryDirectory(), 'datastore.db');
  const missing = await listPools({ OVERLAND_SQLITE_PATH: path }, false);
  expect(missing).toMatchObject({ code: 5, out: '' });
  expect(missing.err).toContain(`there is no datastore at ${path}. Start the agent, or`);
  expect(existsSync(path)).toBe(false);

  const made = await listPools({ OVERLAND_SQLITE_PATH: path }, true);
  expect(made).toEqual({ code: 0, out: `${path} 0`, err: '' });
});

test('no directory is made for a mistyped path', async () => {
  const path = join(temporaryDirectory(), 'none', 'datastore.db');
  expect((await listPools({ OVERLAND_SQLITE_PATH: path }, true)).code).toBe(5);
});

test('a configuration that contradicts itself is bad input', async () => {
  const { code, err } = await listPools({ OVERLAND_DATASTORE_TYPE: 'etcd' }, false);
  expect(code).toBe(2);
  expect(err).toContain('etcdEndpoints: must name a server');
});
