import {
  describeFault,
  type Fault,
  isJsonObject,
  parseManifest,
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
  /** One for each fault: `rack.yaml:12: document 2, IPPool(rack1): spec.cidr is required`. */
  readonly lines: readonly string[];
}

/** Judges documents one after the other; the same object twice is a fault of the second. */
export function createJudge(): (document: ManifestDocument) => Judgement {
  const places = new Map<string, string>();
  return (document) => {
    const { file, index } = document;
    const { identity, faults } = examine(document);
    const { kind, namespace, name } = identity;
    const found = [...faults];
    if (kind !== null && name !== null) {
      const key = JSON.stringify([kind, namespace, name]);
      const earlier = places.get(key);
      if (earlier === undefined) places.set(key, `document ${index + 1} of ${file}`);
      else {
        const rule = `must be unique (${earlier} has it, too)`;
        found.push({ path: 'metadata.name', value: name, rule });
      }
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
    return { verdict, lines: describe(document, identity, found) };
  };
}

function describe(
  { file, index, line }: ManifestDocument,
  { kind, name, namespace }: Identity,
  faults: readonly Fault[],
): string[] {
  const subject = subjectOf({ kind, metadata: { name, namespace } }, '');
  const where = `${file}:${line}: document ${index + 1}${subject === '' ? '' : `, ${subject}`}`;
  return faults.map((fault) => `${where}: ${describeFault(fault)}`);
}

interface Identity {
  readonly kind: string | null;
  readonly name: string | null;
  readonly namespace?: string | undefined;
}

const NOBODY: Identity = { kind: null, name: null };

function examine(document: ManifestDocument): { identity: Identity; faults: readonly Fault[] } {
  if ('error' in document) {
    const { name, message } = document.error;
    const rule = name === 'YamlError' ? `cannot be read: ${message}` : message;
    return { identity: NOBODY, faults: [{ path: '', value: undefined, rule }] };
  }
  try {
    const { kind, metadata } = parseManifest(document.value);
    return {
      identity: { kind, name: metadata.name, namespace: metadata.namespace },
      faults: [],
    };
  } catch (error) {
    if (!(error instanceof ValidationError)) throw error;
    return { identity: claimedIdentity(document.value), faults: error.faults };
  }
}

/** What a document that is not valid says it is. */
function claimedIdentity(value: unknown): Identity {
  if (!isJsonObject(value)) return NOBODY;
  const metadata = isJsonObject(value.metadata) ? value.metadata : {};
  const text = (field: unknown): string | null => (typeof field === 'string' ? field : null);
  return {
    kind: text(value.kind),
    name: text(metadata.name),
    namespace: text(metadata.namespace) ?? undefined,
  };
}
