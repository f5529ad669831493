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
  const text = readText(file);
  if (text === undefined) throw new TopologyFileError(`${file} cannot be read`);
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

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
