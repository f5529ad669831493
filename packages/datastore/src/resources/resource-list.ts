import {
  extensionPrefix,
  fromStoredForm,
  hasExtensions,
  hideSecrets,
  ipamView,
  type Kind,
  kindTable,
  parseJson,
  parseResourceKey,
  type ResourceName,
  type ResourceOfKind,
  resourcePrefix,
  ValidationError,
} from '@overland/model';
import type { Datastore, Entry, Page, Revision } from '../datastore.ts';
import { CompactedError } from '../errors.ts';
import { withDefaultProfile } from './default-profile.ts';
import { decodeStored, extensionKeyOf, shownView } from './stored-resource.ts';

/** An object that exists, but that this version cannot read. */
export interface InvalidResource {
  readonly name: ResourceName;
  readonly error: ValidationError;
  /** In the form of a manifest, secrets hidden; `undefined`: it is no JSON. */
  readonly stored: unknown;
}

export interface ResourceList<K extends Kind> {
  /** In order of their keys. */
  readonly resources: readonly ResourceOfKind<K>[];
  readonly invalid: readonly InvalidResource[];
  readonly revision: Revision;
}

/** Reads all objects of a kind, as of one revision. */
export async function listResources<K extends Kind>(
  store: Datastore,
  kind: K,
  namespace?: string,
): Promise<ResourceList<K>> {
  for (;;) {
    const resources: ResourceOfKind<K>[] = [];
    const invalid: InvalidResource[] = [];
    let revision: Revision | undefined;
    try {
      for await (const page of resourcePages(store, kind, namespace)) {
        for (const resource of page.resources) resources.push(resource);
        invalid.push(...page.invalid);
        revision = page.revision;
      }
    } catch (error) {
      // The pages took longer than the datastore keeps old revisions.
      if (error instanceof CompactedError) continue;
      throw error;
    }
    if (revision === undefined) throw new RangeError('no range to read');
    return { resources, invalid, revision };
  }
}

/**
 * All objects of a kind, a page of the datastore at a time, as of one revision. At least one page, which may be empty.
 *
 * @throws {CompactedError} If that revision is no longer kept when a page is asked for.
 */
export function resourcePages<K extends Kind>(
  store: Datastore,
  kind: K,
  namespace?: string,
): AsyncGenerator<ResourceList<K>, void> {
  const pages = storedPages(store, kind, namespace);
  if (kind !== 'Profile') return pages;
  const profiles = withDefaultProfile(pages as AsyncIterable<ResourceList<'Profile'>>);
  return profiles as AsyncGenerator<ResourceList<K>, void>;
}

async function* storedPages<K extends Kind>(
  store: Datastore,
  kind: K,
  namespace: string | undefined,
): AsyncGenerator<ResourceList<K>, void> {
  const isIpam = kindTable(kind).storage === 'ipam';
  const prefixes = isIpam ? ipamView(kind).prefixes : [resourcePrefix(kind, namespace)];
  let revision: Revision | undefined;
  let extensions: ExtensionReader | undefined;
  for (const prefix of prefixes) {
    for await (const page of pagesOf(store, prefix, revision)) {
      revision = page.revision;
      if (hasExtensions(kind)) extensions ??= new ExtensionReader(store, kind, revision);
      const resources: ResourceOfKind<K>[] = [];
      const invalid: InvalidResource[] = [];
      for (const entry of page.entries) {
        const name = nameOfEntry(kind, entry);
        if (!name) continue;
        try {
          const extension = await extensions?.at(extensionKeyOf(kind, name));
          resources.push(shownView(kind, decodeStored(kind, entry, extension)));
        } catch (error) {
          if (!(error instanceof ValidationError)) throw error;
          invalid.push({ name, error, stored: shownForm(kind, entry) });
        }
      }
      yield { resources, invalid, revision };
    }
  }
}

function shownForm(kind: Kind, { value }: Entry): unknown {
  try {
    return hideSecrets(kind, fromStoredForm(kind, parseJson(value)));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function nameOfEntry(kind: Kind, { key }: Entry): ResourceName | undefined {
  if (kindTable(kind).storage !== 'ipam') return parseResourceKey(key)?.name;
  const name = ipamView(kind).nameOf(key);
  return name === undefined ? undefined : { name };
}

/** The entries of our fields beside a listing: both are in the order of names, so each is read once. */
class ExtensionReader {
  readonly #pages: AsyncIterator<Page>;
  #entries: readonly Entry[] = [];
  #next = 0;
  #isEnded = false;

  constructor(store: Datastore, kind: Kind, revision: Revision) {
    this.#pages = pagesOf(store, extensionPrefix(kind), revision)[Symbol.asyncIterator]();
  }

  /** The entry at a key behind all that were asked for before. */
  async at(key: string | undefined): Promise<Entry | undefined> {
    if (key === undefined) return undefined;
    for (;;) {
      for (; this.#next < this.#entries.length; this.#next++) {
        const entry = this.#entries[this.#next];
        if (entry && entry.key >= key) return entry.key === key ? entry : undefined;
      }
      if (this.#isEnded) return undefined;
      const page = await this.#pages.next();
      this.#isEnded = page.done === true;
      this.#entries = page.value?.entries ?? [];
      this.#next = 0;
    }
  }
}

async function* pagesOf(
  store: Datastore,
  prefix: string,
  at: Revision | undefined,
): AsyncGenerator<Page, void> {
  let after: string | undefined;
  let revision = at;
  do {
    const page: Page = await store.list(prefix, {
      ...(after !== undefined && { after }),
      ...(revision !== undefined && { revision }),
    });
    yield page;
    revision = page.revision;
    after = page.next;
  } while (after !== undefined);
}
