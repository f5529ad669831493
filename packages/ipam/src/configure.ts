import { ConflictError, type Datastore } from '@overland/datastore';
import {
  DEFAULT_IPAM_CONFIG,
  decodeIpamConfig,
  encodeIpamConfig,
  IPAM_CONFIG_KEY,
  type IpamConfig,
} from '@overland/model';
import { ContentionError } from './errors.ts';
import { MAX_ATTEMPTS } from './own-blocks.ts';

/** What may be changed; what is absent stays. */
export type ConfigChanges = Partial<
  Pick<
    IpamConfig,
    'strictAffinity' | 'autoAllocateBlocks' | 'maxBlocksPerHost' | 'ipCooldownSeconds'
  >
>;

/** A configuration with which nobody, or not as meant, would get addresses. */
export class IpamConfigError extends Error {
  override readonly name = 'IpamConfigError';
}

const MOST_BLOCKS = 1_000_000;
const LONGEST_COOLDOWN_SECONDS = 1200;

/**
 * Changes the configuration that all allocators read, Calico's too; a change of somebody else at the same time is kept.
 *
 * @returns The configuration as it is now.
 * @throws {IpamConfigError} If its parts contradict each other. Nothing is written.
 */
export async function configureIpam(
  datastore: Datastore,
  changes: ConfigChanges,
): Promise<IpamConfig> {
  const key = IPAM_CONFIG_KEY;
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const entry = await datastore.get(key);
    const before = entry ? decodeIpamConfig(entry.value) : DEFAULT_IPAM_CONFIG;
    const after = { ...before, ...changes };
    refuseContradiction(after);
    try {
      await datastore.transact({
        conditions: [
          entry ? { type: 'revision', key, revision: entry.revision } : { type: 'absent', key },
        ],
        operations: [{ type: 'put', key, value: encodeIpamConfig(after) }],
      });
      return after;
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error;
    }
  }
  throw new ContentionError('changing the configuration', MAX_ATTEMPTS);
}

function refuseContradiction(config: IpamConfig): void {
  const { strictAffinity, autoAllocateBlocks, maxBlocksPerHost, ipCooldownSeconds } = config;
  refuse(maxBlocksPerHost > MOST_BLOCKS, `maxBlocksPerHost is over ${MOST_BLOCKS}`);
  refuse(
    ipCooldownSeconds > LONGEST_COOLDOWN_SECONDS,
    `ipCooldownSeconds is over ${LONGEST_COOLDOWN_SECONDS}`,
  );
  refuse(
    !strictAffinity && !autoAllocateBlocks,
    'autoAllocateBlocks must be true unless strictAffinity is: nobody could get an address',
  );
  refuse(
    maxBlocksPerHost > 0 && !strictAffinity,
    'maxBlocksPerHost needs strictAffinity: borrowing would go around the limit',
  );
}

function refuse(isWrong: boolean, message: string): void {
  if (isWrong) throw new IpamConfigError(message);
}
