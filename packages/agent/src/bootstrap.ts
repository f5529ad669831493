import type { Datastore } from '@overland/datastore';
import {
  type AnyResource,
  API_VERSION,
  parseJson,
  parseManifest,
  parseResourceKey,
  readResource,
  resourcePrefix,
  ValidationError,
} from '@overland/model';
import { type Family, familyOf } from '@overland/net';
import type { Logger } from 'pino';
import { ConfigError, type ConfigFault } from './config.ts';
import { createIfAbsent } from './resource-writer.ts';
import type { Config } from './settings.ts';

/**
 * Reads the manifests to create at start.
 *
 * @param documents As parsed from the file.
 * @param path Of the file, for messages.
 * @throws {ConfigError} With everything that is wrong in them.
 */
export function parseBootstrap(
  documents: readonly unknown[],
  path: string,
): readonly AnyResource[] {
  const faults: ConfigFault[] = [];
  const manifests: AnyResource[] = [];
  for (const document of documents) {
    try {
      manifests.push(parseManifest(document));
    } catch (error) {
      if (!(error instanceof ValidationError)) throw error;
      faults.push({ origin: path, message: error.message });
    }
  }
  if (faults.length > 0) throw new ConfigError(faults);
  return manifests;
}

/** Creates those of the manifests that do not exist. */
export async function createBootstrap(
  datastore: Datastore,
  manifests: readonly AnyResource[],
  log: Logger,
): Promise<void> {
  for (const manifest of manifests) {
    if (!(await createIfAbsent(datastore, manifest))) continue;
    log.info({ kind: manifest.kind, name: manifest.metadata.name }, 'created from bootstrap file');
  }
}

type PoolSettings = Pick<
  Config,
  'ipv4PoolCidr' | 'ipv4PoolBlockSize' | 'ipv6PoolCidr' | 'ipv6PoolBlockSize'
>;

/** Creates the pools of the settings, each if there is no pool of its family at all. */
export async function createDefaultPools(
  datastore: Datastore,
  config: PoolSettings,
): Promise<void> {
  const wanted = (['ipv4', 'ipv6'] as const).filter((family) => config[`${family}PoolCidr`]);
  if (wanted.length === 0) return;
  const present = await poolFamilies(datastore);
  for (const family of wanted.filter((candidate) => !present.has(candidate))) {
    const pool = parseManifest({
      apiVersion: API_VERSION,
      kind: 'IPPool',
      metadata: { name: `default-${family}-ippool` },
      spec: { cidr: config[`${family}PoolCidr`], blockSize: config[`${family}PoolBlockSize`] },
    });
    await createIfAbsent(datastore, pool);
  }
}

async function poolFamilies(datastore: Datastore): Promise<Set<Family>> {
  const { entries } = await datastore.list(resourcePrefix('IPPool'));
  const pools = entries.filter(({ key }) => parseResourceKey(key)?.kind === 'IPPool');
  return new Set(
    pools.map(({ value }) => familyOf(readResource('IPPool', parseJson(value)).spec.cidr)),
  );
}
