import { open, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isJsonObject, parseJson } from '@overland/model';
import { parseYaml } from '@overland/model/yaml';
import type { Collector } from './collect.ts';
import type { Secrets } from './secrets.ts';

const KERNEL_FILES = [
  '/etc/os-release',
  '/proc/loadavg',
  '/proc/meminfo',
  '/proc/modules',
  '/proc/net/snmp',
  '/proc/net/snmp6',
];

/** Where logs lie unless others are named: ours, and those of what may have run before. */
export const LOG_DIRECTORIES = [
  '/var/log/overland',
  '/var/log/calico',
  '/var/log/bird',
  '/var/log/frr',
];

/** Of each log, the end. */
const LOG_OCTETS = 1024 * 1024;
/** Of a directory, the newest. */
const MOST_LOGS = 40;

/** Short files that say something of the host. */
export function kernelFiles(): Collector[] {
  return KERNEL_FILES.map((path) => ({
    name: `host/files${path}`,
    collect: async () => ({ text: await readFile(path, 'utf8') }),
  }));
}

/** The end of each log in a directory, one collector for each file. */
export async function logFiles(directory: string): Promise<Collector[]> {
  const names = await readdir(directory).catch(() => []);
  const found = await Promise.all(
    names.map(async (name) => {
      const path = join(directory, name);
      const file = await stat(path).catch(() => undefined);
      return file?.isFile() ? [{ path, modified: file.mtimeMs, size: file.size }] : [];
    }),
  );
  const newest = found.flat().toSorted((a, b) => b.modified - a.modified);
  return newest.slice(0, MOST_LOGS).map(({ path, size }) => ({
    name: `logs${path}`,
    collect: async () => ({
      text: await endOf(path, size),
      ...(size > LOG_OCTETS && { note: `the last ${LOG_OCTETS} of ${size} octets` }),
    }),
  }));
}

async function endOf(path: string, size: number): Promise<string> {
  await using file = await open(path);
  const length = Math.min(size, LOG_OCTETS);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, size - length);
  return buffer.toString('utf8', 0, bytesRead);
}

/**
 * A configuration file without its secrets. They are learned at once, before anything is collected. A file that
 * cannot be parsed is left out: nobody can say what in it is secret.
 */
export async function configFile(path: string, secrets: Secrets): Promise<Collector[]> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    return [{ name: `config${path}.json`, collect: () => Promise.reject(error) }];
  }
  const documents = parseYaml(text);
  const values = documents.flatMap((document) =>
    'value' in document ? [secrets.redact(document.value)] : [],
  );
  const isWhole = values.length === documents.length;
  return [
    {
      name: `config${path}.json`,
      async collect() {
        if (!isWhole) throw new Error('is not YAML, and left out: it may hold a secret');
        return { text: `${values.map((value) => JSON.stringify(value, null, 2)).join('\n')}\n` };
      },
    },
  ];
}

/** Names, sizes, modes and ages of the agent's files, and which keys its snapshot has: no values. */
export async function stateDirectory(path: string, secrets: Secrets): Promise<Collector[]> {
  const snapshot = await readFile(join(path, 'snapshot.json'), 'utf8').catch(() => undefined);
  const keys = snapshot === undefined ? undefined : snapshotKeys(snapshot, secrets);
  return [
    {
      name: 'agent/state-directory',
      async collect() {
        const names = (await readdir(path, { recursive: true })).toSorted();
        const lines = await Promise.all(names.map((name) => describe(join(path, name))));
        return { text: lines.join('') };
      },
    },
    {
      name: 'agent/snapshot-keys',
      async collect() {
        if (!keys) throw new Error(`${path} has no snapshot that can be read`);
        return { text: keys.map((key) => `${key}\n`).join('') };
      },
    },
  ];
}

async function describe(path: string): Promise<string> {
  const { mode, size, mtime } = await stat(path);
  return `${(mode & 0o7777).toString(8).padStart(4, '0')} ${String(size).padStart(10)} ${mtime.toISOString()} ${path}\n`;
}

function snapshotKeys(text: string, secrets: Secrets): readonly string[] | undefined {
  try {
    const { entries } = parseJson(text) as { entries?: unknown };
    if (!Array.isArray(entries)) return undefined;
    return entries.filter(isJsonObject).map(({ key, value }) => {
      // Passwords of BGP peers stand in it.
      if (typeof value === 'string' && value !== '') secrets.redact(parseJson(value));
      return String(key);
    });
  } catch {
    return undefined;
  }
}
