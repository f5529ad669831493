import { randomUUID } from 'node:crypto';
import { ConflictError, type Datastore, type Entry, type Revision } from '@overland/datastore';
import {
  carryOver,
  isJsonObject,
  parseJson,
  readResource,
  resourceKey,
  resourcePrefix,
  stringifyJson,
  tryReadResource,
  type WorkloadEndpoint,
} from '@overland/model';
import { Turns } from './turns.ts';
import type { EndpointName } from './workload-endpoint.ts';

const MAX_ATTEMPTS = 10;

/** Where the rest of the cluster learns about workloads. */
export interface EndpointStore {
  /** Stores or replaces. */
  put(endpoint: WorkloadEndpoint): Promise<void>;
  /** Removes, unless a newer container has taken over the name; absent is fine. */
  remove(name: EndpointName): Promise<void>;
  /** The addresses, as prefixes, of an endpoint that is of this container; `undefined` if there is none. */
  networksOf(name: EndpointName): Promise<readonly string[] | undefined>;
  /** Endpoints of this node that bear our orchestrators' names. */
  list(): Promise<WorkloadEndpoint[]>;
}

/**
 * WorkloadEndpoints in the datastore. Calls for one endpoint run one after another, so that a removal never passes
 * the writing that it is to undo.
 */
export function datastoreEndpoints(
  datastore: Datastore,
  node: string,
  now: () => Date,
): EndpointStore {
  const turns = new Turns();
  /** What this process has written, by key: removing it costs no read. */
  const written = new Map<string, Version>();
  return {
    async put(endpoint) {
      const key = resourceKey('WorkloadEndpoint', endpoint.metadata);
      const write = async (entry: Entry | undefined): Promise<void> => {
        const value = entry ? replaced(entry, endpoint) : created(endpoint, now());
        if (value === entry?.value) return;
        const revision = await datastore.transact({
          conditions: [unchanged(key, entry)],
          operations: [{ type: 'put', key, value }],
        });
        written.set(key, { revision, containerId: endpoint.spec.containerID });
      };
      // The name of a new container is nearly always free.
      await turns.run(key, () => untilAlone(undefined, (actual) => actual, write));
    },

    async remove({ name, namespace, containerId }) {
      const key = resourceKey('WorkloadEndpoint', { name, namespace });
      const erase = async (version: Version | undefined): Promise<void> => {
        if (version?.containerId !== containerId) return;
        await datastore.transact({
          conditions: [unchanged(key, version)],
          operations: [{ type: 'delete', key }],
        });
      };
      await turns.run(key, async () => {
        const known = written.get(key);
        written.delete(key);
        const isOwn = known?.containerId === containerId;
        const version = isOwn ? known : versionOf(await datastore.get(key));
        await untilAlone(version, versionOf, erase);
      });
    },

    async networksOf({ name, namespace, containerId }) {
      const entry = await datastore.get(resourceKey('WorkloadEndpoint', { name, namespace }));
      if (!entry) return undefined;
      const result = tryReadResource('WorkloadEndpoint', parseJson(entry.value));
      if (!('resource' in result)) return undefined;
      const { containerID, ipNetworks } = result.resource.spec;
      return containerID === containerId ? ipNetworks : undefined;
    },

    async list() {
      const found: WorkloadEndpoint[] = [];
      let after: string | undefined;
      do {
        const page = await datastore.list(
          resourcePrefix('WorkloadEndpoint'),
          after === undefined ? {} : { after },
        );
        for (const { value } of page.entries) {
          const result = tryReadResource('WorkloadEndpoint', parseJson(value));
          if ('resource' in result && result.resource.spec.node === node) {
            found.push(result.resource);
          }
        }
        after = page.next;
      } while (after !== undefined);
      return found;
    },
  };
}

function created(endpoint: WorkloadEndpoint, at: Date): string {
  const creationTimestamp = at.toISOString().replace(/\.\d+Z$/, 'Z');
  const metadata = { ...endpoint.metadata, uid: randomUUID(), creationTimestamp };
  return stringifyJson({ ...endpoint, metadata });
}

/** Keeps what others wrote into the object: its identity, and fields we do not know. */
function replaced({ value }: Entry, endpoint: WorkloadEndpoint): string {
  const stored = parseJson(value);
  const before = readResource('WorkloadEndpoint', stored);
  const { uid, creationTimestamp } = before.metadata;
  const metadata = { ...endpoint.metadata, uid, creationTimestamp };
  return stringifyJson(carryOver('WorkloadEndpoint', stored, before, { ...endpoint, metadata }));
}

/** Which writing of an endpoint, and whose. */
interface Version {
  readonly revision: Revision;
  readonly containerId: unknown;
}

function versionOf(entry: Entry | undefined): Version | undefined {
  if (!entry) return undefined;
  const stored = parseJson(entry.value);
  const spec = isJsonObject(stored) && isJsonObject(stored.spec) ? stored.spec : undefined;
  return { revision: entry.revision, containerId: spec?.containerID };
}

function unchanged(key: string, stored: Pick<Entry, 'revision'> | undefined) {
  return stored
    ? ({ type: 'revision', key, revision: stored.revision } as const)
    : ({ type: 'absent', key } as const);
}

/**
 * Writes, and again when somebody else was faster.
 *
 * @param first What is thought to be stored.
 * @param seen Made of what turned out to be stored.
 */
async function untilAlone<T>(
  first: T,
  seen: (actual: Entry | undefined) => T,
  write: (stored: T) => Promise<void>,
): Promise<void> {
  let stored = first;
  for (let attempt = 1; ; attempt++) {
    try {
      await write(stored);
      return;
    } catch (error) {
      if (!(error instanceof ConflictError) || attempt === MAX_ATTEMPTS) throw error;
      stored = seen(error.actual);
    }
  }
}
