import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import {
  ConfigError,
  type GivenSettings,
  loadDatastoreOptions,
  namesDatastore,
} from '@overland/agent/datastore-settings';
import type { DatastoreOptions } from '@overland/datastore';
import type { CommandContext } from '../command.ts';
import { connectionSettings, holdsSecret } from './connection-file.ts';

/** Looked for in this order when no file is named. */
const DEFAULT_FILES = ['/etc/overland/overland.cfg', '/etc/calico/calicoctl.cfg'];

/** A connection file is a few lines. */
const MAX_OCTETS = 1024 * 1024;
const READABLE_BY_OTHERS = 0o044;

type Context = Pick<CommandContext, 'env' | 'workingDirectory' | 'stderr'>;

/**
 * Where the datastore is: the environment over the file (the one named, else calicoctl's or ours where there is one,
 * else the agent's).
 *
 * @throws {ConfigError} With every fault there is.
 */
export async function datastoreOptionsOf(
  context: Context,
  file: string | undefined,
): Promise<DatastoreOptions> {
  const environment = withCalicoNames(context.env);
  const { workingDirectory } = context;
  if (environment.DATASTORE_TYPE === 'kubernetes') {
    const message = 'Overland keeps resources in etcd or SQLite, not in the Kubernetes API';
    throw new ConfigError([{ origin: 'DATASTORE_TYPE', message }]);
  }
  const given = await givenByFile(context, file);
  // A file that says nothing of the datastore is as good as none.
  const own = given && given.size > 0 ? given : undefined;
  return loadDatastoreOptions({ given: own, environment, workingDirectory });
}

async function givenByFile(
  context: Context,
  named: string | undefined,
): Promise<GivenSettings | undefined> {
  if (named !== undefined) {
    const path = resolve(context.workingDirectory, named);
    const given = await readConnectionFile(context, path);
    if (!given) throw new ConfigError([{ origin: path, message: 'there is no such file' }]);
    return given;
  }
  for (const path of DEFAULT_FILES) {
    const given = await readConnectionFile(context, path);
    if (given) return given;
  }
  return undefined;
}

/** @returns `undefined` if there is no such file. */
async function readConnectionFile(
  { stderr, env }: Context,
  path: string,
): Promise<GivenSettings | undefined> {
  const fail = (message: string): never => {
    throw new ConfigError([{ origin: path, message }]);
  };
  let text: string;
  let mode: number;
  try {
    const found = await stat(path);
    if (!found.isFile()) return fail('is not a file');
    if (found.size > MAX_OCTETS) return fail(`${found.size} octets are more than ${MAX_OCTETS}`);
    mode = found.mode;
    text = await readFile(path, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    if (code !== 'EACCES') return fail(message);
    if (namesDatastore(env)) return undefined;
    return fail('may not be read by this user: run with sudo, or name another file with --config');
  }
  const { parseYaml } = await import('@overland/model/yaml');
  const [document, second] = parseYaml(text);
  if (!document || second) return fail('expected one CalicoAPIConfig document');
  if ('error' in document) return fail(document.error.message);
  if (holdsSecret(document.value) && (mode & READABLE_BY_OTHERS) !== 0) {
    stderr.write(
      `overland: warning: ${path} holds a secret and can be read by other users: chmod 600 ${path}\n`,
    );
  }
  return connectionSettings(document.value, path);
}

/** calicoctl takes each of its variables with `CALICO_` before it as well, and that one first. */
function withCalicoNames(env: CommandContext['env']): Record<string, string | undefined> {
  const own = Object.entries(env).flatMap(([name, value]) => {
    const match = /^CALICO_(DATASTORE_TYPE|ETCD_\w+)$/.exec(name);
    return match?.[1] !== undefined && value ? [[match[1], value] as const] : [];
  });
  return { ...env, ...Object.fromEntries(own) };
}
