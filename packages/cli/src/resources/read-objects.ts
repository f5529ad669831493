import { type ResourceClient, ResourceNotFoundError } from '@overland/datastore';
import { type AnyResource, type Kind, kindTable, type Labels } from '@overland/model';
import { FailureError } from '../command.ts';
import { namedObject } from './named-object.ts';

/** What is to be read. */
export interface Selection {
  readonly kind: Kind;
  /** Empty: all that there are. */
  readonly names: readonly string[];
  /** Of namespaced kinds; `undefined`: all of them. */
  readonly namespace: string | undefined;
  readonly matchesLabels: (labels: Labels) => boolean;
}

/** A part of what was found, and what cannot be shown. */
export interface ObjectPage {
  readonly resources: readonly AnyResource[];
  /** Of the datastore as it was read; only of listings. */
  readonly version?: string;
  readonly errors: readonly Error[];
}

/** Reads objects by name, or all of a kind, a page at a time. */
export async function* readObjects(
  client: ResourceClient,
  selection: Selection,
): AsyncGenerator<ObjectPage, void> {
  const { kind, names, namespace, matchesLabels } = selection;
  if (names.length > 0) {
    yield await readNamed(client, selection);
    return;
  }
  // Tiers are few, and people read them in the order in which they act.
  if (kind === 'Tier') {
    const { resources, invalid, revision } = await client.list(kind);
    const sorted = (resources as readonly AnyResource[]).toSorted(byOrder);
    const errors = invalid.map(({ name, error }) => unreadable(kind, name, error));
    yield { resources: sorted.filter(hasLabels(matchesLabels)), version: revision, errors };
    return;
  }
  for await (const page of client.pages(kind, namespace)) {
    const inNamespace = page.invalid.filter(
      ({ name }) => namespace === undefined || name.namespace === namespace,
    );
    yield {
      resources: (page.resources as readonly AnyResource[]).filter(hasLabels(matchesLabels)),
      version: page.revision,
      errors: inNamespace.map(({ name, error }) => unreadable(kind, name, error)),
    };
  }
}

async function readNamed(
  client: ResourceClient,
  { kind, names, namespace, matchesLabels }: Selection,
): Promise<ObjectPage> {
  const resources: AnyResource[] = [];
  const errors: Error[] = [];
  for (const typed of names) {
    const { name } = namedObject(kind, typed, namespace);
    try {
      const found = (await client.get(kind, name)) as AnyResource | undefined;
      if (!found) errors.push(new ResourceNotFoundError(kind, name));
      else if (hasLabels(matchesLabels)(found)) resources.push(found);
    } catch (error) {
      if (!(error instanceof Error) || error.name !== 'ValidationError') throw error;
      errors.push(unreadable(kind, name, error));
    }
  }
  return { resources, errors };
}

function hasLabels(matchesLabels: Selection['matchesLabels']): (resource: AnyResource) => boolean {
  return ({ metadata }) => matchesLabels(metadata.labels ?? {});
}

/** What is stored is at fault, not what was asked for. */
export function unreadable(
  kind: Kind,
  { name, namespace }: { name: string; namespace?: string | undefined },
  error: Error,
): Error {
  const where = kindTable(kind).namespaced && namespace ? `${namespace}/` : '';
  return new FailureError(`${kind}(${where}${name}) cannot be read: ${error.message}`);
}

/** Those without an order act last. */
function byOrder(a: AnyResource, b: AnyResource): number {
  return orderOf(a) - orderOf(b) || (a.metadata.name < b.metadata.name ? -1 : 1);
}

function orderOf({ spec }: AnyResource): number {
  const { order } = spec as { readonly order?: number };
  return order ?? Number.MAX_VALUE;
}
