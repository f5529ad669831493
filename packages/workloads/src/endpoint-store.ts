import { randomUUID } from 'node:crypto';
import { ConflictError, type Datastore, type Entry } from '@overland/datastore';
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
  return {
    async put(endpoint) {
      const key = resourceKey('WorkloadEndpoint', endpoint.metadata);
      await turns.run(key, () =>
        untilAlone(async () => {
          const entry = await datastore.get(key);
          const value = entry ? replaced(entry, endpoint) : created(endpoint, now());
          if (value === entry?.value) return;
          await datastore.transact({
            conditions: [unchanged(key, entry)],
            operations: [{ type: 'put', key, value }],
          });
        }),
      );
    },

    async remove({ name, namespace, containerId }) {
      const key = resourceKey('WorkloadEndpoint', { name, namespace });
      await turns.run(key, () =>
        untilAlone(async () => {
          const entry = await datastore.get(key);
          if (!entry || containerOf(entry) !== containerId) return;
          await datastore.transact({
            conditions: [unchanged(key, entry)],
            operations: [{ type: 'delete', key }],
          });
        }),
      );
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

function containerOf({ value }: Entry): unknown {
  const stored = parseJson(value);
  return isJsonObject(stored) && isJsonObject(stored.spec) ? stored.spec.containerID : undefined;
}

function unchanged(key: string, entry: Entry | undefined) {
  return entry
    ? ({ type: 'revision', key, revision: entry.revision } as const)
    : ({ type: 'absent', key } as const);
}

async function untilAlone(write: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await write();
      return;
    } catch (error) {
      if (!(error instanceof ConflictError) || attempt === MAX_ATTEMPTS) throw error;
    }
  }
}
