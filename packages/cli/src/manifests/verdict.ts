import {
  describeFault,
  type Fault,
  isJsonObject,
  isKind,
  kindTable,
  parseManifest,
  parsePath,
  subjectOf,
  ValidationError,
} from '@overland/model';
import type { ManifestDocument } from './read-manifests.ts';

/** What is to be said about one document. The shape is what `validate -o json` prints. */
interface Verdict {
  readonly file: string;
  /** Of the document in its file, from 0. */
  readonly index: number;
  /** `null` if the document does not say. */
  readonly kind: string | null;
  readonly name: string | null;
  /** Only of namespaced kinds. */
  readonly namespace?: string;
  readonly valid: boolean;
  /** Everything that is wrong. `value` is `null` where nothing stands. */
  readonly errors: readonly { path: string; value: unknown; rule: string }[];
}

/** A verdict with what is printed of it for a person. */
export interface Judgement {
  readonly verdict: Verdict;
  /** One for each fault: `rack.yaml:15: document 2, IPPool(rack1): spec.cidr is required`. */
  readonly lines: readonly string[];
}

/** Judges documents one after the other; the same object twice is a fault of the second. */
export function createJudge(): (document: ManifestDocument) => Judgement {
  const places = new Map<string, string>();
  return (document) => {
    const { file, index } = document;
    const { identity, faults, object } = examine(document);
    const { kind, namespace, name } = identity;
    const found = [...faults];
    const earlier = object === undefined ? undefined : places.get(object);
    if (earlier !== undefined) {
      const rule = `must be unique (${earlier} has it, too)`;
      found.push({ path: 'metadata.name', value: name, rule });
    } else if (object !== undefined) {
      places.set(object, `document ${index + 1} of ${file}`);
    }
    const verdict = {
      file,
      index,
      kind,
      name,
      ...(namespace === undefined ? {} : { namespace }),
      valid: found.length === 0,
      errors: found.map(({ path, value = null, rule }) => ({ path, value, rule })),
    };
    return { verdict, lines: describe(document, identity, found).map(printable) };
  };
}

/** One line, and nothing that a terminal obeys: names come from whoever wrote the manifest. */
function printable(line: string): string {
  return line.replaceAll(
    /\p{Cc}/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** So many faults of a document are shown with the line of their field; finding it takes a walk over the document. */
const MAX_LOCATED = 100;

function describe(
  document: ManifestDocument,
  { kind, name, namespace }: Identity,
  faults: readonly Fault[],
): string[] {
  const { file, index, line } = document;
  if ('error' in document) {
    const { error } = document;
    const isWholeFile = error.name === 'TextError';
    return [
      isWholeFile
        ? `${file}: ${error.message}`
        : `${file}:${line}: document ${index + 1} cannot be read: ${error.message}`,
    ];
  }
  const subject = subjectOf({ kind, metadata: { name, namespace } }, '');
  const which = `document ${index + 1}${subject === '' ? '' : `, ${subject}`}`;
  return faults.map((fault, i) => {
    const at = i < MAX_LOCATED ? document.lineOf(parsePath(fault.path)) : line;
    return `${file}:${at}: ${which}: ${describeFault(fault)}`;
  });
}

/** What a document says it is. */
interface Identity {
  readonly kind: string | null;
  readonly name: string | null;
  readonly namespace?: string | undefined;
}

const NOBODY: Identity = { kind: null, name: null };

interface Examination {
  readonly identity: Identity;
  readonly faults: readonly Fault[];
  /** Equal for documents of one object. A policy of Kubernetes has another name as an object. */
  readonly object?: string;
}

function examine(document: ManifestDocument): Examination {
  if ('error' in document) {
    const { name, message } = document.error;
    const rule = name === 'YamlError' ? `cannot be read: ${message}` : message;
    return { identity: NOBODY, faults: [{ path: '', value: undefined, rule }] };
  }
  const claimed = claimedIdentity(document.value);
  try {
    const { kind, metadata } = parseManifest(document.value);
    const { name, namespace } = metadata;
    const identity = { kind, name: claimed.name ?? name, namespace };
    return { identity, faults: [], object: objectKey({ kind, name, namespace }) };
  } catch (error) {
    if (!(error instanceof ValidationError)) throw error;
    const object = claimed.name === null ? {} : { object: objectKey(claimed) };
    return { identity: claimed, faults: error.faults, ...object };
  }
}

function objectKey({ kind, namespace, name }: Identity): string {
  return JSON.stringify([kind, namespace, name]);
}

/** What a document says it is, whether it is valid or not. */
function claimedIdentity(value: unknown): Identity {
  if (!isJsonObject(value)) return NOBODY;
  const metadata = isJsonObject(value.metadata) ? value.metadata : {};
  const text = (field: unknown): string | null => (typeof field === 'string' ? field : null);
  const kind = text(value.kind);
  const isNamespaced = kind !== null && isKind(kind) && kindTable(kind).namespaced;
  const namespace = text(metadata.namespace) ?? (isNamespaced ? 'default' : undefined);
  return { kind, name: text(metadata.name), namespace };
}
