import { type PolicyState, policyStateFromJson, policyStateToJson } from '@overland/felix';
import { readIfPresent, writeDurably } from '@overland/linux/durable-file';

/** Writes what the packet filter should hold, for a start without the datastore. */
export async function writePolicySnapshot(
  path: string,
  nodeName: string,
  state: PolicyState,
): Promise<void> {
  await writeDurably(path, `${JSON.stringify({ nodeName, policy: policyStateToJson(state) })}\n`);
}

/** @returns `undefined` if there is none for this node, or none that this version can read. */
export async function readPolicySnapshot(
  path: string,
  nodeName: string,
): Promise<PolicyState | undefined> {
  const text = await readIfPresent(path);
  if (text === undefined) return undefined;
  try {
    const stored = JSON.parse(text) as { readonly nodeName?: unknown; readonly policy?: unknown };
    return stored.nodeName === nodeName ? policyStateFromJson(stored.policy) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
