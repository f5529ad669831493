import { randomUUID } from 'node:crypto';
import { readIfPresent, writeDurably } from '@overland/linux/durable-file';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * This host's own identity, made up at the first start: a node name belongs to the host that has it.
 * The machine id is not enough: clones of one image share it.
 *
 * @param stateDirectory Survives reboots; holds `host-id`.
 */
export async function hostId(stateDirectory: string): Promise<string> {
  const path = `${stateDirectory}/host-id`;
  const stored = (await readIfPresent(path))?.trim();
  if (stored !== undefined && UUID.test(stored)) return stored;
  const id = randomUUID();
  await writeDurably(path, `${id}\n`);
  return id;
}
