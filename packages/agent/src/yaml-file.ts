import { readIfPresent } from '@overland/linux/durable-file';
import { ConfigError, type ConfigFault } from './config.ts';

/**
 * Reads the documents of a YAML file. Empty ones are passed over.
 *
 * The parser is loaded only when there is a file: it costs 9 MB, in this thread alone.
 *
 * @returns None if there is no such file.
 * @throws {ConfigError} With line and column of what is broken.
 */
export async function readDocuments(path: string): Promise<readonly unknown[]> {
  const text = await readIfPresent(path);
  if (text === undefined) return [];
  const { parseAllDocuments } = await import('yaml');
  const parsed = parseAllDocuments(text);
  const documents = 'empty' in parsed ? [] : parsed;
  const faults = documents.flatMap(({ errors }) =>
    errors.map(({ message, linePos }): ConfigFault => {
      const [{ line, col } = { line: 0, col: 0 }] = linePos ?? [];
      const [first = ''] = message.split('\n');
      return { origin: `${path}:${line}:${col}`, message: first.replace(/:$/, '') };
    }),
  );
  if (faults.length > 0) throw new ConfigError(faults);
  return documents.map((document): unknown => document.toJS()).filter((value) => value !== null);
}
