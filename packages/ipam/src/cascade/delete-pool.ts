import { ResourceClient, ResourceConflictError, ResourceNotFoundError } from '@overland/datastore';
import type { Prefix } from '@overland/net';
import { createIpamAdmin, type IpamAdmin, type IpamAdminOptions } from '../ipam-admin.ts';
import type { Removal } from './removal.ts';
import { UNREADABLE, unreadable } from './unreadable.ts';

/** How often the blocks are looked through before others are said to claim them faster than they are given up. */
const MAX_ROUNDS = 10;

/**
 * Deletes an IPPool: disables it, so that nobody claims a block of it any more; gives up the claims on its blocks, hosts' and
 * virtual ones; deletes it; and gives up what somebody has claimed meanwhile who had not heard. Blocks with addresses in
 * use stay, without an owner. Calico waits for half a second after disabling; here the blocks are
 * looked through until nothing is left to give up, before the pool goes and after it.
 *
 * A deletion that was interrupted is finished by the next one: the pool goes when its claims are gone.
 *
 * @param expected Only this state of the pool: its `resourceVersion`.
 * @throws {ResourceNotFoundError} If there is no such pool.
 * @throws {ResourceConflictError} If it is in another state, or is changed meanwhile.
 */
export async function* deletePool(
  options: IpamAdminOptions,
  pool: string,
  expected?: string,
): AsyncGenerator<Removal, void> {
  const client = new ResourceClient(options.datastore);
  const admin = createIpamAdmin(options);
  const name = { name: pool };
  let stored = await client.get('IPPool', name).catch(unreadable);
  if (stored === UNREADABLE) {
    await client.delete('IPPool', name, expected);
    yield { type: 'unreadable' };
    return;
  }
  if (!stored) throw new ResourceNotFoundError('IPPool', name);
  const { resourceVersion: actual = '' } = stored.metadata;
  if (expected !== undefined && expected !== actual) {
    throw new ResourceConflictError('IPPool', name, { expected, actual });
  }
  if (!stored.spec.disabled) {
    stored = await client.update({ ...stored, spec: { ...stored.spec, disabled: true } });
    yield { type: 'disabled' };
  }
  const { cidr } = stored.spec;
  yield* giveUpAll(admin, cidr);
  await client.delete('IPPool', name, stored.metadata.resourceVersion);
  yield* giveUpAll(admin, cidr);
}

async function* giveUpAll(admin: IpamAdmin, cidr: Prefix): AsyncGenerator<Removal, void> {
  for (let round = 0; round < MAX_ROUNDS; round++) {
    let isQuiet = true;
    for await (const block of admin.giveUpPool(cidr)) {
      const { outcome } = block;
      // Nobody's any more, and held by containers: it has been said, or is not ours to say.
      if (outcome === 'in-use' || outcome === 'absent') continue;
      isQuiet = false;
      yield { type: 'block', ...block };
    }
    if (isQuiet) return;
  }
}
