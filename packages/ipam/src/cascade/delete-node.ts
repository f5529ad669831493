import {
  type Datastore,
  ResourceClient,
  ResourceConflictError,
  ResourceNotFoundError,
} from '@overland/datastore';
import {
  type AnyResource,
  blockPrefix,
  type Kind,
  parseBlockKey,
  type ResourceName,
} from '@overland/model';
import { type IpAddress, networkAddress, type Prefix } from '@overland/net';
import { allocationsOf } from '../block.ts';
import { ContentionError, StaleReleaseError } from '../errors.ts';
import { createIpamAdmin, type IpamAdmin, type IpamAdminOptions } from '../ipam-admin.ts';
import { listEntries } from '../list-entries.ts';
import { MAX_ATTEMPTS } from '../own-blocks.ts';
import type { Release } from '../release-in-block.ts';
import { readBlock } from '../stored-block.ts';
import type { Removal } from './removal.ts';
import { UNREADABLE, unreadable } from './unreadable.ts';

/** Objects that name a node in `spec.node` and mean nothing without it, in the order in which they go. */
const NAMING_NODES = ['BGPPeer', 'HostEndpoint'] as const;
/** Kinds with an object `node.NAME` for one node. */
const PER_NODE = ['BGPConfiguration', 'FelixConfiguration'] as const;

/**
 * Deletes a Node and what must go with it, as Calico does: the addresses of its workloads and tunnels, its workload
 * endpoints, its claims on blocks, the BGPPeers and HostEndpoints that name it, its own configurations; the Node last. So a
 * deletion that was interrupted anywhere is finished by the next one. Says what has gone, as it goes.
 *
 * An address is released only if it is assigned to this node, or the record does not say to which: not
 * one that another node's workload has got since.
 *
 * @param expected Only this state of the Node: its `resourceVersion`.
 * @throws {ResourceNotFoundError} If there is no such Node. Nothing was removed.
 * @throws {ResourceConflictError} If it is in another state. Nothing was removed, unless it changed meanwhile.
 */
export async function* deleteNode(
  options: IpamAdminOptions,
  node: string,
  expected?: string,
): AsyncGenerator<Removal, void> {
  const { datastore } = options;
  const client = new ResourceClient(datastore);
  const admin = createIpamAdmin(options);
  const name = { name: node };
  const stored = await client.get('Node', name).catch(unreadable);
  if (!stored) throw new ResourceNotFoundError('Node', name);
  const { resourceVersion: actual } = stored === UNREADABLE ? {} : stored.metadata;
  if (actual !== undefined && expected !== undefined && expected !== actual) {
    throw new ResourceConflictError('Node', name, { expected, actual });
  }

  const endpoints = await objectsOf(client, 'WorkloadEndpoint', node);
  const addresses = new Set(endpoints.flatMap(endpointAddresses));
  yield* releaseAddresses(datastore, admin, { node, addresses });
  for (const { metadata } of endpoints) yield* remove(client, 'WorkloadEndpoint', metadata);
  for await (const block of admin.giveUpHost(node)) yield { type: 'block', ...block };
  for (const kind of NAMING_NODES) {
    for (const { metadata } of await objectsOf(client, kind, node)) {
      yield* remove(client, kind, metadata);
    }
  }
  for (const kind of PER_NODE) yield* remove(client, kind, { name: `node.${node}` });
  await client.delete('Node', name, expected);
}

/** Objects of a kind whose `spec.node` is the node. Read to the end first: they are about to be removed. */
async function objectsOf(client: ResourceClient, kind: Kind, node: string): Promise<AnyResource[]> {
  const found: AnyResource[] = [];
  for await (const { resources } of client.pages(kind)) {
    for (const resource of resources as readonly AnyResource[]) {
      if ('node' in resource.spec && resource.spec.node === node) found.push(resource);
    }
  }
  return found;
}

function endpointAddresses({ spec }: AnyResource): IpAddress[] {
  return 'ipNetworks' in spec ? spec.ipNetworks.map(networkAddress) : [];
}

async function* remove(
  client: ResourceClient,
  kind: Kind,
  { name, namespace }: ResourceName,
): AsyncGenerator<Removal, void> {
  const full = { name, ...(namespace !== undefined && { namespace }) };
  try {
    await client.delete(kind, full);
  } catch (error) {
    // There was none, or somebody else was faster.
    if (error instanceof ResourceNotFoundError) return;
    throw error;
  }
  yield { type: 'object', kind, name: full };
}

interface Leaving {
  readonly node: string;
  /** Of its workloads. */
  readonly addresses: ReadonlySet<IpAddress>;
}

/** Goes through all blocks: others may have lent this node addresses of theirs. */
async function* releaseAddresses(
  datastore: Datastore,
  admin: IpamAdmin,
  leaving: Leaving,
): AsyncGenerator<Removal, void> {
  for await (const { key } of listEntries(datastore, blockPrefix())) {
    const cidr = parseBlockKey(key);
    const addresses = cidr ? await releaseOf(datastore, admin, { cidr, leaving }) : [];
    if (addresses.length > 0) yield { type: 'addresses', addresses };
  }
}

async function releaseOf(
  datastore: Datastore,
  admin: IpamAdmin,
  { cidr, leaving }: { readonly cidr: Prefix; readonly leaving: Leaving },
): Promise<IpAddress[]> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const stored = await readBlock(datastore, cidr);
    if (!stored) return [];
    const releases = allocationsOf(stored.block).flatMap((allocation): Release[] => {
      const { address, handle, sequence, attributes } = allocation;
      const holder = attributes.node;
      const isOurs =
        holder === undefined ? leaving.addresses.has(address) : holder === leaving.node;
      return isOurs ? [{ address, sequence, ...(handle !== undefined && { handle }) }] : [];
    });
    if (releases.length === 0) return [];
    try {
      return await admin.releaseAddresses(releases);
    } catch (error) {
      // One of them has got another holder since: look again.
      if (!(error instanceof StaleReleaseError)) throw error;
    }
  }
  throw new ContentionError(`releasing addresses of ${leaving.node} in ${cidr}`, MAX_ATTEMPTS);
}
