import {
  type AnyResource,
  appliedKey,
  carryOver,
  DEFAULT_ALLOW_PROFILE,
  HIDDEN,
  HIDDEN_CHANGED,
  hideSecrets,
  type Kind,
  kindTable,
  type ResourceName,
  type ResourceOfKind,
  sameJson,
  sameSecrets,
  subjectOf,
  ValidationError,
} from '@overland/model';
import type { Datastore, Entry, Revision, Transaction } from '../datastore.ts';
import { ConflictError } from '../errors.ts';
import {
  type Manifest,
  mergeApplied,
  recordCondition,
  recordOperations,
} from './applied-record.ts';
import { isDefaultProfile, refuseDefaultProfile } from './default-profile.ts';
import { guardCreation } from './guard-creation.ts';
import { insertResource } from './insert-resource.ts';
import { readApplied, readEntries, readEntry, readStored } from './read-stored.ts';
import {
  ResourceConflictError,
  ResourceExistsError,
  ResourceNotFoundError,
} from './resource-errors.ts';
import { listResources, type ResourceList, resourcePages } from './resource-list.ts';
import { conflictOf, inState, stateOf } from './resource-state.ts';
import { type ResourceChange, watchResources } from './resource-watch.ts';
import {
  decodeStored,
  encodeStored,
  type StoredResource,
  shownView,
  viewOf,
} from './stored-resource.ts';
import { removeTier, tierChange } from './tier-rules.ts';
import { validateNew, validateParsed, validateUpdate } from './validate-write.ts';

/** What new objects are given. Passed in where results must be reproducible. */
export interface ResourceClientOptions {
  readonly randomUuid?: () => string;
  readonly now?: () => Date;
}

/** What an apply came to. */
export interface Applied<R extends AnyResource> {
  readonly outcome: 'created' | 'updated' | 'unchanged';
  readonly resource: R;
}

export interface ApplyOptions {
  /** Only to this state of the object: its `resourceVersion`. */
  readonly expected?: string | undefined;
  /** Whether `parseManifest` has just given the resource: then it is complete, and breaks no rule. */
  readonly isParsed?: boolean;
}

/** What an apply would come to. */
export interface Planned<R extends AnyResource> extends Applied<R> {
  /** As it is now; `undefined` if there is none. */
  readonly before: R | undefined;
}

/** How often a change is tried again when others write the same object. */
const ATTEMPTS = 10;

/**
 * Resources in a datastore, with the meaning that Calico's client gives to `uid`, `creationTimestamp` and
 * `resourceVersion`. Fields that Calico lacks are stored apart and joined on read.
 *
 * Secrets are never handed out: a mark stands in their place, which means "as it was" when it is written back (decision 0037).
 *
 * Every method rejects as {@link Datastore} does when the datastore cannot be reached.
 */
export class ResourceClient {
  readonly #store: Datastore;
  readonly #randomUuid: () => string;
  readonly #now: () => Date;

  constructor(store: Datastore, options: ResourceClientOptions = {}) {
    this.#store = store;
    this.#randomUuid = options.randomUuid ?? (() => crypto.randomUUID());
    this.#now = options.now ?? (() => new Date());
  }

  /**
   * One object, defaults filled in; `undefined` if there is none.
   *
   * @throws {ValidationError} If this version cannot read it.
   */
  async get<K extends Kind>(kind: K, name: ResourceName): Promise<ResourceOfKind<K> | undefined> {
    if (kindTable(kind).storage === 'ipam') {
      // Their keys cannot be told from their names.
      const { resources } = await this.list(kind);
      return resources.find(({ metadata }) => metadata.name === name.name);
    }
    if (isDefaultProfile(kind, name)) return DEFAULT_ALLOW_PROFILE as ResourceOfKind<K>;
    const stored = await readStored(this.#store, kind, name);
    return stored && shownView(kind, stored);
  }

  /** All objects of a kind, or of one namespace, and those that this version cannot read. */
  list<K extends Kind>(kind: K, namespace?: string): Promise<ResourceList<K>> {
    return listResources(this.#store, kind, namespace);
  }

  /**
   * As {@link list}, a page at a time.
   *
   * @throws {CompactedError} If reading takes longer than the datastore keeps old revisions.
   */
  pages<K extends Kind>(kind: K, namespace?: string): AsyncIterable<ResourceList<K>> {
    return resourcePages(this.#store, kind, namespace);
  }

  /** What exists, `synced`, then every change; ends when `signal` aborts. */
  watch<K extends Kind>(kind: K, signal: AbortSignal): AsyncIterable<ResourceChange<K>> {
    return watchResources(this.#store, kind, signal);
  }

  /**
   * Makes an object. `uid` and `creationTimestamp` are set; `resourceVersion` is ignored.
   *
   * @returns The object as stored.
   * @throws {ResourceExistsError} If there is one of that name.
   * @throws {ValidationError} If it breaks a rule.
   * @throws {MissingTierError} If it is a policy whose tier does not exist.
   * @throws {RefusedError} If it is built in.
   */
  async create<R extends AnyResource>(resource: R): Promise<R> {
    const inserted = await this.#insert(resource);
    if ('taken' in inserted) throw new ResourceExistsError(resource.kind, resource.metadata);
    return inserted.made;
  }

  /** Makes the object in one transaction, or says what stands in its place. */
  async #insert<R extends AnyResource>(
    resource: R,
    manifest?: Manifest & { readonly isParsed: boolean },
  ): Promise<{ readonly made: R } | { readonly taken: Entry | undefined }> {
    const kind: Kind = resource.kind;
    refuseDefaultProfile(kind, resource.metadata);
    const valid = manifest?.isParsed
      ? validateParsed(resource, this.#store)
      : (validateNew(kind, resource, this.#store) as AnyResource);
    const made = this.#stamp(valid);
    const operations = encodeStored(kind, made.metadata, made);
    if (manifest) operations.push(...recordOperations(kind, made, manifest));
    const inserted = await insertResource(this.#store, {
      resource: made,
      operations,
      stamp: (further) => this.#stamp(further),
    });
    if ('taken' in inserted) return inserted;
    const metadata = { ...made.metadata, resourceVersion: inserted.revision };
    return { made: hideSecrets(kind, { ...made, metadata } as AnyResource) as R };
  }

  /** An object with what new ones are given. */
  #stamp(resource: AnyResource): AnyResource {
    const uid = this.#randomUuid();
    const creationTimestamp = this.#now()
      .toISOString()
      .replace(/\.\d+Z$/, 'Z');
    return {
      ...resource,
      metadata: { ...resource.metadata, uid, creationTimestamp },
    } as AnyResource;
  }

  /**
   * Replaces an object that was read before: `resourceVersion` says which state of it. What this version does
   * not know stays as it is stored.
   *
   * @returns The object as stored.
   * @throws {ResourceConflictError} If it has changed since, or is another one of the same name.
   * @throws {ResourceNotFoundError} If it is gone.
   * @throws {ValidationError} If it breaks a rule, or changes what must not change.
   */
  async update<R extends AnyResource>(resource: R): Promise<R> {
    const { kind, metadata } = resource;
    const { resourceVersion: expected, uid } = metadata;
    if (!expected) {
      const rule = 'is required to update: read the object first';
      const fault = { path: 'metadata.resourceVersion', value: undefined, rule };
      throw new ValidationError(subjectOf(resource), [fault]);
    }
    refuseDefaultProfile(kind, metadata);
    const stored = await readStored(this.#store, kind, metadata);
    if (!stored) throw new ResourceNotFoundError(kind, metadata);
    const before = viewOf(kind, stored);
    const actual = stored.entry.revision;
    if (actual !== expected || (uid && uid !== before.metadata.uid)) {
      throw new ResourceConflictError(kind, metadata, { expected, actual });
    }
    return (await this.#replace(stored, resource)).resource;
  }

  /**
   * Creates the object, or brings the stored one to what a manifest says, whatever its version: what the manifest
   * applied before stated and this one does not is taken back, what others have set stays (decision 0093). The
   * status is not touched.
   *
   * @param written The manifest as it was written, without defaults; the resource if all of it is meant.
   * @throws {ValidationError} If the outcome breaks a rule, or changes what must not change.
   * @throws {ResourceConflictError} If it is in another state than was expected.
   * @throws {ResourceNotFoundError} If it was expected in some state, and is gone.
   */
  async apply<R extends AnyResource>(
    resource: R,
    written: unknown = resource,
    { expected, isParsed = false }: ApplyOptions = {},
  ): Promise<Applied<R>> {
    const manifest = { resource, written, isParsed };
    if (expected !== undefined) {
      const [stored, record] = await readApplied(this.#store, resource.kind, resource.metadata);
      return await this.#applyTo(inState(resource, stored, expected), manifest, record);
    }
    return await untilUndisturbed(
      () => this.#applyOnce(manifest),
      // One that goes away meanwhile is made again.
      (error) => error instanceof ResourceConflictError || error instanceof ResourceNotFoundError,
    );
  }

  /**
   * Replaces an object by another, whatever its version, and nothing that others have set stays but the status.
   *
   * @param expected Only this state of the object: its `resourceVersion`.
   * @throws {ResourceNotFoundError} If there is none.
   * @throws {ResourceConflictError} If it is in another state than was expected.
   * @throws {ValidationError} If it breaks a rule, or changes what must not change.
   */
  async replace<R extends AnyResource>(resource: R, expected?: string): Promise<Applied<R>> {
    const { kind, metadata } = resource;
    const once = async () =>
      await this.#replace(
        inState(resource, await readStored(this.#store, kind, metadata), expected),
        resource,
      );
    return await (expected === undefined ? untilUndisturbed(once) : once());
  }

  /**
   * Reads an object, changes it, and writes it; again while others write it, too.
   *
   * @param change What it should be. Its uid, version and times cannot be changed.
   * @throws {ResourceNotFoundError} If there is none.
   * @throws {ValidationError} If the outcome breaks a rule, or changes what must not change.
   */
  async modify<K extends Kind>(
    kind: K,
    name: ResourceName,
    change: (before: ResourceOfKind<K>) => AnyResource,
  ): Promise<Applied<AnyResource>> {
    return await untilUndisturbed(async () => {
      const stored = await readStored(this.#store, kind, name);
      if (!stored) throw new ResourceNotFoundError(kind, name);
      return await this.#replace(stored, change(viewOf(kind, stored)));
    });
  }

  /** Creates first: an object that is new costs one round trip, and one that is not is read by it. */
  async #applyOnce<R extends AnyResource>(
    manifest: Manifest<R> & { readonly isParsed: boolean },
  ): Promise<Applied<R>> {
    const { resource } = manifest;
    let taken: Entry | undefined;
    try {
      const inserted = await this.#insert(resource, manifest);
      if ('made' in inserted) return { outcome: 'created', resource: inserted.made };
      taken = inserted.taken;
    } catch (error) {
      // What must not be created may stand already, and stay.
      if (!(error instanceof ValidationError)) throw error;
      taken = await readEntry(this.#store, resource.kind, resource.metadata);
      if (!taken) throw error;
    }
    const [stored, record] = await readApplied(
      this.#store,
      resource.kind,
      resource.metadata,
      taken,
    );
    if (!stored) throw new ResourceNotFoundError(resource.kind, resource.metadata);
    return await this.#applyTo(stored, manifest, record);
  }

  /** What {@link apply} would come to. Writes nothing, and fails as `apply` would. */
  async planApply<R extends AnyResource>(
    resource: R,
    written: unknown = resource,
  ): Promise<Planned<R>> {
    const kind: Kind = resource.kind;
    refuseDefaultProfile(kind, resource.metadata);
    const [stored, record] = await readApplied(this.#store, kind, resource.metadata);
    if (!stored) {
      const made = validateNew(kind, resource, this.#store) as R;
      await guardCreation(this.#store, made);
      return { outcome: 'created', before: undefined, resource: hideSecrets(kind, made) };
    }
    const real = viewOf(kind, stored) as R;
    const wanted = mergeApplied(real, { resource, written }, record);
    const after = validateUpdate(real, wanted, this.#store);
    const before = hideSecrets(kind, real);
    if (sameJson(real, after)) return { outcome: 'unchanged', before, resource: before };
    const mark = sameSecrets(real, after) ? HIDDEN : HIDDEN_CHANGED;
    return { outcome: 'updated', before, resource: hideSecrets(kind, after, mark) };
  }

  /**
   * Removes an object.
   *
   * @param resourceVersion Only in this state, if given.
   * @returns The object as it was; `undefined` if this version cannot read it.
   * @throws {ResourceNotFoundError} If there is none.
   * @throws {ResourceConflictError} If it is in another state.
   * @throws {RefusedError} If it is built in, or a tier that holds policies.
   */
  async delete<K extends Kind>(
    kind: K,
    name: ResourceName,
    resourceVersion?: string,
  ): Promise<ResourceOfKind<K> | undefined> {
    refuseDefaultProfile(kind, name);
    const [entry, extensionEntry] = await readEntries(this.#store, kind, name);
    if (!entry) throw new ResourceNotFoundError(kind, name);
    const { key } = entry;
    const revision = (resourceVersion ?? entry.revision) as Revision;
    const keys = [key, appliedKey(kind, name)];
    if (extensionEntry) keys.push(extensionEntry.key);
    const conditions = [{ type: 'revision', key, revision }] as const;
    const operations = keys.map((each) => ({ type: 'delete', key: each }) as const);
    const removal = { conditions, operations };
    await this.#compareAndWrite(kind, name, removal, async (transaction) => {
      if (kind === 'Tier') return await removeTier(this.#store, name.name, transaction);
      return await this.#store.transact(transaction);
    });
    try {
      return shownView(kind, decodeStored(kind, entry, extensionEntry));
    } catch (error) {
      if (error instanceof ValidationError) return undefined;
      throw error;
    }
  }

  async #replace<R extends AnyResource>(stored: StoredResource, resource: R): Promise<Applied<R>> {
    const kind: Kind = resource.kind;
    const before = viewOf(kind, stored);
    const { uid, creationTimestamp, resourceVersion } = before.metadata;
    return await this.#write(stored, {
      ...resource,
      metadata: { ...resource.metadata, uid, creationTimestamp, resourceVersion },
      status: resource.status ?? before.status,
    });
  }

  async #applyTo<R extends AnyResource>(
    stored: StoredResource,
    manifest: Manifest<R>,
    record: Entry | undefined,
  ): Promise<Applied<R>> {
    const kind: Kind = manifest.resource.kind;
    const before = viewOf(kind, stored) as R;
    const operations = recordOperations(kind, before, manifest, record);
    const conditions = operations.length > 0 ? [recordCondition(kind, before, record)] : [];
    return await this.#write(stored, mergeApplied(before, manifest, record), {
      conditions,
      operations,
    });
  }

  /** Writes `wanted` in the place of what is stored, if that makes a difference, and what goes with it. */
  async #write<R extends AnyResource>(
    stored: StoredResource,
    wanted: R,
    further: Transaction = { conditions: [], operations: [] },
  ): Promise<Applied<R>> {
    const kind: Kind = wanted.kind;
    const before = viewOf(kind, stored) as R;
    // What stays as it is breaks no rule that it did not break before.
    const after = sameJson(before, wanted) ? before : validateUpdate(before, wanted, this.#store);
    const tier = tierChange(before, after);
    const conditions = [...stateOf(kind, stored), ...tier.conditions, ...further.conditions];
    if (sameJson(before, after)) {
      const { operations } = further;
      if (operations.length > 0) {
        await this.#compareAndWrite(kind, after.metadata, { conditions, operations });
      }
      return { outcome: 'unchanged', resource: hideSecrets(kind, before) };
    }
    const document = carryOver(kind, stored.joined, before, after);
    const operations = encodeStored(kind, after.metadata, document, stored);
    const revision = await this.#compareAndWrite(kind, after.metadata, {
      conditions,
      operations: [...operations, ...tier.operations, ...further.operations],
    });
    const entry = { ...stored.entry, revision };
    return { outcome: 'updated', resource: shownView(kind, { entry, joined: document }) as R };
  }

  /** Writes if the object is still in the state of the first condition. */
  async #compareAndWrite(
    kind: Kind,
    name: ResourceName,
    transaction: Transaction,
    write = (each: Transaction) => this.#store.transact(each),
  ): Promise<Revision> {
    try {
      return await write(transaction);
    } catch (error) {
      throw error instanceof ConflictError ? conflictOf(error, kind, name, transaction) : error;
    }
  }
}

/** Tries again while it is overtaken by others, within bounds. */
async function untilUndisturbed<T>(
  work: () => Promise<T>,
  isRace: (error: unknown) => boolean = (error) => error instanceof ResourceConflictError,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (!isRace(error) || attempt === ATTEMPTS) throw error;
    }
  }
}
