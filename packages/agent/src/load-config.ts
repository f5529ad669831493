import { hostname } from 'node:os';
import { parse, YAMLParseError } from 'yaml';
import { ConfigError, type ConfigSources, parseConfig } from './config.ts';
import { readIfPresent } from './durable-file.ts';
import type { Config } from './settings.ts';

const DEFAULT_FILE = '/etc/overland/agent.yaml';

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
  const text = await readIfPresent(path);
  if (text === undefined && named) {
    throw new ConfigError([{ origin: path, message: 'there is no such file' }]);
  }
  return parseConfig({
    ...(text === undefined ? {} : { file: { path, content: parseFile(path, text) } }),
    environment,
    flags: settings,
    hostname: hostname(),
  });
}

function parseFile(path: string, text: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof YAMLParseError)) throw error;
    const [{ line, col } = { line: 0, col: 0 }] = error.linePos ?? [];
    const [first = ''] = error.message.split('\n');
    throw new ConfigError([{ origin: `${path}:${line}:${col}`, message: first.replace(/:$/, '') }]);
  }
}
