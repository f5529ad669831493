import { ConflictError, type Datastore, type Entry } from '@overland/datastore';
import { type HostClaim, hostClaimKey, isJsonObject, parseJson } from '@overland/model';

/** Another host has this node name: exit code 2. */
export class NodeNameTakenError extends Error {
  override readonly name = 'NodeNameTakenError';
}

/**
 * Makes the node name this host's, or sees that it is already. The claim outlives the agent and its Node.
 *
 * @throws {NodeNameTakenError} If another host has it; says which.
 */
export async function claimNodeName(
  datastore: Datastore,
  nodeName: string,
  claim: HostClaim,
): Promise<void> {
  const key = hostClaimKey(nodeName);
  try {
    await datastore.transact({
      conditions: [{ type: 'absent', key }],
      operations: [{ type: 'put', key, value: JSON.stringify(claim) }],
    });
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error;
    const holder = holderOf(error.actual);
    if (holder?.uuid === claim.uuid) return;
    throw new NodeNameTakenError(
      `node name ${nodeName} belongs to another host, ${holder?.hostname ?? 'unknown'} (id ${holder?.uuid ?? 'unknown'}; this host is ${claim.hostname}, id ${claim.uuid}); ` +
        `give this one another name, or, if that host is gone for good, delete the key ${key}`,
    );
  }
}

/**
 * Writes the claim anew as it is: the one thing that a host may write at any time, to see whether it can.
 *
 * @throws {UnavailableError} If it cannot.
 */
export async function renewClaim(
  datastore: Datastore,
  nodeName: string,
  claim: HostClaim,
): Promise<void> {
  const key = hostClaimKey(nodeName);
  const entry = await datastore.get(key);
  if (!entry || holderOf(entry)?.uuid !== claim.uuid) return;
  try {
    await datastore.transact({
      conditions: [{ type: 'revision', key, revision: entry.revision }],
      operations: [{ type: 'put', key, value: entry.value }],
    });
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error;
  }
}

function holderOf(entry: Entry | undefined): Partial<HostClaim> | undefined {
  if (!entry) return undefined;
  const value = parseJson(entry.value);
  if (!isJsonObject(value)) return undefined;
  const { uuid, hostname } = value;
  return {
    ...(typeof uuid === 'string' ? { uuid } : {}),
    ...(typeof hostname === 'string' ? { hostname } : {}),
  };
}
