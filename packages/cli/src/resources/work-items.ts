import {
  type AnyResource,
  API_VERSION,
  isJsonObject,
  isKind,
  kindTable,
  parseManifest,
  type ResourceName,
  subjectOf,
  ValidationError,
} from '@overland/model';
import type { CommandContext } from '../command.ts';
import {
  type ManifestDocument,
  type ManifestInput,
  readManifests,
} from '../manifests/read-manifests.ts';

/** One document of the input of a command that writes, or one object that it names. */
export interface WorkItem {
  /** `pools.yaml:12`; absent for an object that was named on the command line. */
  readonly place?: string;
  /** As the document says it; `undefined` if it does not. */
  readonly kind: string | undefined;
  readonly name: ResourceName | undefined;
  /** `IPPool(rack1)`, or `document 3`. */
  readonly subject: string;
  readonly content: ItemContent;
}

/** What is known of an item beside its name. */
type ItemContent =
  | {
      readonly type: 'manifest';
      readonly resource: AnyResource;
      /** As it stands in the file, without defaults. */
      readonly written: unknown;
    }
  | { readonly type: 'invalid'; readonly error: Error }
  /** Only a name is needed. */
  | { readonly type: 'named' };

/**
 * Reads the manifests that `-f` names. What cannot be read, or breaks a rule, is an item with its error.
 *
 * @param namespace Of namespaced objects that do not say theirs.
 * @throws {UsageError} Before anything is read: without `-f`, or if a file is not there.
 */
export async function readWorkItems(
  input: ManifestInput,
  context: Pick<CommandContext, 'stdin' | 'workingDirectory' | 'signal'>,
  namespace: string | undefined,
): Promise<WorkItem[]> {
  const items: WorkItem[] = [];
  for await (const document of readManifests(input, context)) {
    items.push(itemOf(document, namespace));
  }
  return items;
}

function itemOf(document: ManifestDocument, namespace: string | undefined): WorkItem {
  const place = `${document.file}:${document.line}`;
  const unnamed = `document ${document.index + 1}`;
  if ('error' in document) {
    const { error } = document;
    return {
      place,
      kind: undefined,
      name: undefined,
      subject: unnamed,
      content: { type: 'invalid', error },
    };
  }
  const written = inNamespace(document.value, namespace);
  if (isJsonObject(written) && written.apiVersion === API_VERSION)
    return laterItem(place, written, unnamed);
  // What is translated has another name afterwards.
  const content = contentOf(written);
  if (content.type !== 'manifest') {
    return { place, ...claimedIdentity(written), subject: subjectOf(written, unnamed), content };
  }
  const { kind, metadata } = content.resource;
  return { place, kind, name: metadata, subject: subjectOf(content.resource), content };
}

/** A manifest that is validated when its turn comes, while others are under way. */
function laterItem(place: string, written: unknown, unnamed: string): WorkItem {
  let content: ItemContent | undefined;
  const identity = claimedIdentity(written);
  const subject = subjectOf({ kind: identity.kind, metadata: identity.name }, unnamed);
  return {
    place,
    ...identity,
    subject,
    get content() {
      content ??= contentOf(written);
      return content;
    },
  };
}

function contentOf(written: unknown): ItemContent {
  try {
    return { type: 'manifest', resource: parseManifest(written), written };
  } catch (error) {
    if (!(error instanceof ValidationError)) throw error;
    return { type: 'invalid', error };
  }
}

/** A namespaced object without a namespace is put into the one of `-n`. */
function inNamespace(value: unknown, namespace: string | undefined): unknown {
  if (namespace === undefined || !isJsonObject(value) || !isJsonObject(value.metadata))
    return value;
  const { kind, metadata } = value;
  const isNamespaced = typeof kind === 'string' && isKind(kind) && kindTable(kind).namespaced;
  if (!isNamespaced || metadata.namespace) return value;
  return { ...value, metadata: { ...metadata, namespace } };
}

function claimedIdentity(value: unknown): Pick<WorkItem, 'kind' | 'name'> {
  if (!isJsonObject(value) || typeof value.kind !== 'string')
    return { kind: undefined, name: undefined };
  const metadata = isJsonObject(value.metadata) ? value.metadata : {};
  const { kind } = value;
  const { name, namespace: stated } = metadata;
  if (typeof name !== 'string') return { kind, name: undefined };
  const isNamespaced = isKind(kind) && kindTable(kind).namespaced;
  const namespace = typeof stated === 'string' ? stated : isNamespaced ? 'default' : undefined;
  return { kind, name: { name, ...(namespace !== undefined && { namespace }) } };
}
