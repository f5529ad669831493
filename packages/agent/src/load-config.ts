import { hostname } from 'node:os';
import { readIfPresent } from '@overland/linux/durable-file';
import { ConfigError, type ConfigSources, parseConfig } from './config.ts';
import type { Config } from './settings.ts';
import { readDocuments } from './yaml-file.ts';

/** Read unless another file is named. */
export const DEFAULT_FILE = '/etc/overland/agent.yaml';

/**
 * Reads the settings of this host.
 *
 * @param environment Of the process; also names the file, as `OVERLAND_CONFIG`.
 * @param flags By setting name; `config` names the file.
 * @throws {ConfigError} With every fault there is.
 */
export async function loadConfig(
  environment: ConfigSources['environment'],
  flags: Readonly<Record<string, unknown>>,
): Promise<Config> {
  const { config: flag, ...settings } = flags;
  const named = typeof flag === 'string' ? flag : environment.OVERLAND_CONFIG;
  const path = named || DEFAULT_FILE;
  if (named && (await readIfPresent(path)) === undefined) {
    throw new ConfigError([{ origin: path, message: 'there is no such file' }]);
  }
  const documents = await readDocuments(path);
  if (documents.length > 1) {
    throw new ConfigError([{ origin: path, message: 'expected one document' }]);
  }
  return parseConfig({
    file: { path, content: documents[0] },
    environment,
    flags: settings,
    hostname: hostname(),
  });
}
