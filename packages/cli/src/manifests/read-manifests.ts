import { addAbortSignal } from 'node:stream';
import type { Path } from '@overland/model';
import { MAX_YAML_LENGTH, parseYaml, type YamlError } from '@overland/model/yaml';
import { type CommandContext, UsageError } from '../command.ts';
import { findManifestFiles, type ManifestFile, STANDARD_INPUT } from './find-files.ts';
import { readText, readTextFile, TextError } from './read-text.ts';

/** One document of the input, or what is wrong with it. Items of a `List` are documents of their own. */
export type ManifestDocument = ManifestPlace &
  (
    | {
        readonly value: unknown;
        /** The line of what stands at a path, or of what is nearest around it. */
        readonly lineOf: (path: Path) => number;
      }
    /** YamlError: this document is not YAML. TextError: the file cannot be read or holds nothing. */
    | { readonly error: YamlError | TextError }
  );

/** Where a document stands. */
interface ManifestPlace {
  /** As the operator named it; `-` is standard input. */
  readonly file: string;
  /** Within the file, from 0; empty documents do not count. */
  readonly index: number;
  /** Where it begins, from 1. */
  readonly line: number;
}

/** Values of `MANIFEST_OPTIONS`. */
export interface ManifestInput {
  readonly filename: readonly string[];
  readonly recursive: boolean;
  readonly skipEmpty: boolean;
}

/**
 * Reads the manifests that `-f` names, file by file: YAML or JSON, several documents, `List` kinds taken apart.
 * A file or document that cannot be read is an error in its place and does not stop the others. The values are
 * as written: `parseManifest` says whether they are manifests.
 *
 * @throws {UsageError} Before the first document: without `-f`, or if a file is not there.
 */
export async function* readManifests(
  { filename, recursive, skipEmpty }: ManifestInput,
  context: Pick<CommandContext, 'stdin' | 'workingDirectory' | 'signal'>,
): AsyncGenerator<ManifestDocument, void> {
  if (filename.length === 0) {
    throw new UsageError('no manifests: give -f FILE, -f DIRECTORY or -f - (standard input)');
  }
  const { workingDirectory, stdin, signal } = context;
  for (const file of await findManifestFiles(filename, { recursive, workingDirectory })) {
    signal.throwIfAborted();
    yield* readFile(file, skipEmpty, () =>
      readText(addAbortSignal(signal, stdin), MAX_YAML_LENGTH),
    );
  }
}

async function* readFile(
  { name, path, isEmptyDirectory }: ManifestFile,
  skipEmpty: boolean,
  readStandardInput: () => Promise<string>,
): AsyncGenerator<ManifestDocument, void> {
  const nothing = { file: name, index: 0, line: 1 };
  if (isEmptyDirectory) {
    const message =
      'holds no .yaml, .yml or .json file; -R also looks below, --skip-empty takes that';
    if (!skipEmpty) yield { ...nothing, error: new TextError(message) };
    return;
  }
  let text: string;
  try {
    // A text of so many bytes has no more characters.
    text = await (name === STANDARD_INPUT
      ? readStandardInput()
      : readTextFile(path, MAX_YAML_LENGTH));
  } catch (error) {
    if (!(error instanceof TextError)) throw error;
    yield { ...nothing, error };
    return;
  }
  const documents = parseYaml(text);
  for (const document of documents) yield { file: name, ...document };
  if (documents.length === 0 && !skipEmpty) {
    yield { ...nothing, error: new TextError('holds no manifest; --skip-empty takes that') };
  }
}
