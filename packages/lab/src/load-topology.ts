import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { macOf } from './runner/bring-up.ts';
import { labPaths } from './runner/lab-paths.ts';
import { parseTopology } from './topology/parse-topology.ts';
import type { Topology } from './topology/topology.ts';

/** The file cannot be read. */
export class TopologyFileError extends Error {
  override readonly name = 'TopologyFileError';
}

/**
 * Reads a topology file.
 *
 * @param name Of the lab, instead of the file's.
 * @throws {TopologyFileError} If it cannot be read. @throws {TopologyError} With all its faults.
 */
export function loadTopology(
  file: string,
  variables: Readonly<Record<string, string | undefined>>,
  name?: string,
): Topology {
  const text = readTopologyFile(file);
  return parseTopology({
    file: resolve(file),
    text,
    variables,
    files: { exists: existsSync, read: readText },
    labDirectory: (lab) => labPaths(lab).files,
    macOf,
    ...(name !== undefined && { name }),
  });
}

function readTopologyFile(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    const reason = REASONS[code] ?? code;
    throw new TopologyFileError(`${file} cannot be read: ${reason}`, { cause: error });
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'it is a folder',
  EACCES: 'permission denied',
};

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
