import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Datastore, DatastoreOptions, ResourceClient } from '@overland/datastore';
import type { CommandContext } from '../command.ts';
import { datastoreOptionsOf } from './datastore-options.ts';

/** An open datastore, and what it is called in messages. */
export interface OpenClient extends AsyncDisposable {
  /** Writes nothing while an operator has locked it. */
  readonly datastore: Datastore;
  /** The same, but for the lock: for what locks it, moves it and unlocks it. */
  readonly underLock: Datastore;
  readonly client: ResourceClient;
  /** `etcd at https://10.0.0.1:2379`, `/var/lib/overland/datastore.db`. */
  readonly place: string;
}

export interface ClientRequest {
  /** The file of `--config`. */
  readonly config?: string | undefined;
  /** Whether a SQLite file may be made when there is none: only for a command that writes. */
  readonly mayCreate?: boolean;
  /** Whether writes are only tried: what they would come to is seen by later calls and not stored. */
  readonly dryRun?: boolean;
}

/**
 * Opens the datastore that the command line, the environment or this machine's configuration names.
 *
 * @throws {ConfigError} If they contradict themselves.
 * @throws {UnavailableError} If there is none. An etcd that does not answer is noticed by the first call.
 * @throws {AccessDeniedError} If this user may not use it.
 */
export async function openClient(
  context: Pick<CommandContext, 'env' | 'workingDirectory' | 'stderr'>,
  { config, mayCreate = false, dryRun = false }: ClientRequest,
): Promise<OpenClient> {
  return openAt(await datastoreOptionsOf(context, config), { mayCreate, dryRun });
}

/** As {@link openClient}, where somebody has said exactly which datastore is meant. */
export async function openAt(
  options: DatastoreOptions,
  { mayCreate = false, dryRun = false }: Omit<ClientRequest, 'config'>,
): Promise<OpenClient> {
  const { DryRunDatastore, honourLock, openDatastore, ResourceClient } = await import(
    '@overland/datastore'
  );
  if (options.type === 'sqlite') await checkFile(options.path, mayCreate);
  const opened = await openDatastore(options);
  const underLock = dryRun ? new DryRunDatastore(opened) : opened;
  // What is only tried is no write.
  const datastore = dryRun ? underLock : honourLock(underLock);
  return {
    datastore,
    underLock,
    client: new ResourceClient(datastore),
    place: placeOf(options),
    [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
  };
}

/** Before it is opened: opening makes a file, and reports its absence and its mode as trouble with SQLite. */
async function checkFile(path: string, mayCreate: boolean): Promise<void> {
  const { AccessDeniedError, UnavailableError } = await import('@overland/datastore');
  const missing = 'Start the agent, or name an etcd with --config or ETCD_ENDPOINTS (docs/cli.md)';
  try {
    await access(path, constants.R_OK | constants.W_OK);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EACCES' || code === 'EROFS') {
      throw new AccessDeniedError(`${path} may not be used by this user: run with sudo`);
    }
    if (code !== 'ENOENT' && code !== 'ENOTDIR') throw new UnavailableError(message);
    const directory = dirname(path);
    const hasDirectory = await access(directory, constants.W_OK).then(
      () => true,
      () => false,
    );
    if (!mayCreate || !hasDirectory) {
      throw new UnavailableError(`there is no datastore at ${path}. ${missing}`);
    }
  }
}

function placeOf(options: DatastoreOptions): string {
  switch (options.type) {
    case 'sqlite':
      return options.path;
    case 'etcd':
      return `etcd at ${options.endpoints?.join(', ') ?? `the servers of ${options.discoverySrv}`}`;
    case 'memory':
      return 'memory';
  }
}
