import { resolve } from 'node:path';
import type { DatastoreOptions } from '@overland/datastore';
import {
  ConfigError,
  type ConfigFault,
  type Given,
  type GivenSettings,
  readEnvironment,
  readFile,
  settle,
} from './config.ts';
import { datastoreOptions } from './datastore-options.ts';
import { DEFAULT_FILE } from './load-config.ts';
import { DATASTORE_SETTINGS } from './settings.ts';
import { readDocuments } from './yaml-file.ts';

export { ConfigError, type ConfigFault, type GivenSettings } from './config.ts';
export { readDocuments } from './yaml-file.ts';

/** Where a client that is not the agent finds its datastore. */
export interface DatastoreSources {
  /** What a file of the client's own says; without one, the agent's file on this machine is read. */
  readonly given?: GivenSettings | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Relative paths refer to it; absolute. */
  readonly workingDirectory: string;
}

const PATHS = ['sqlitePath', 'etcdCaFile', 'etcdCertFile', 'etcdKeyFile'] as const;

/**
 * How to reach the datastore: the environment over the client's file, or over the settings of this machine's agent.
 *
 * @throws {ConfigError} With every fault there is.
 */
export async function loadDatastoreOptions({
  given: own,
  environment,
  workingDirectory,
}: DatastoreSources): Promise<DatastoreOptions> {
  const faults: ConfigFault[] = [];
  const given: GivenSettings = new Map(own);
  if (!own) await readAgentFile(environment, given, faults);
  const before = new Map(given);
  readEnvironment(environment, given, faults);
  const type = impliedType(given, before, own !== undefined);
  if (type) given.set('datastoreType', type);
  for (const name of PATHS) {
    const path = given.get(name);
    if (typeof path?.value === 'string' && path.value !== '') {
      given.set(name, { ...path, value: resolve(workingDirectory, path.value) });
    }
  }
  return datastoreOptions(settle(DATASTORE_SETTINGS, given, faults));
}

/** Whoever names an etcd, or a file, need not say as well which type that is. */
function impliedType(
  given: GivenSettings,
  before: GivenSettings,
  isOwnFile: boolean,
): Given | undefined {
  const isNew = (name: string): boolean => given.get(name) !== before.get(name);
  if (isNew('datastoreType')) return undefined;
  const mayImply = (name: string): boolean =>
    isNew(name) || (isOwnFile && !given.has('datastoreType'));
  for (const name of ['etcdEndpoints', 'etcdDiscoverySrv']) {
    const etcd = given.get(name);
    if (etcd && mayImply(name)) return { origin: etcd.origin, value: 'etcd' };
  }
  const file = given.get('sqlitePath');
  return file && mayImply('sqlitePath') ? { origin: file.origin, value: 'sqlite' } : undefined;
}

async function readAgentFile(
  environment: DatastoreSources['environment'],
  given: GivenSettings,
  faults: ConfigFault[],
): Promise<void> {
  const path = environment.OVERLAND_CONFIG || DEFAULT_FILE;
  try {
    const [content] = await readDocuments(path);
    readFile({ path, content }, given, faults);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EACCES') throw error;
    if (namesDatastore(environment)) return;
    const message = 'may not be read by this user: run with sudo, or say where the datastore is';
    throw new ConfigError([{ origin: path, message }]);
  }
}

const PLACES = [
  'ETCD_ENDPOINTS',
  'ETCD_DISCOVERY_SRV',
  'OVERLAND_ETCD_ENDPOINTS',
  'OVERLAND_ETCD_DISCOVERY_SRV',
  'OVERLAND_SQLITE_PATH',
];

/** Whether the environment alone says where the datastore is. */
export function namesDatastore(environment: DatastoreSources['environment']): boolean {
  return PLACES.some((name) => environment[name]);
}
