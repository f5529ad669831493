import { CNI_CODE, CniError } from './cni-error.ts';
import type { NetworkConfiguration } from './network-configuration.ts';

/** How GC names an attachment. */
interface ListedAttachment {
  readonly containerId: string;
  readonly ifname: string;
}

/**
 * Those of `present` that the runtime does not list any more.
 *
 * @throws {CniError} Code 7 if there is no list. Libraries leave it away when their caller gave none, and taking that
 *   for "none is valid" would take every container off the network.
 */
export function attachmentsToCollect<A extends ListedAttachment>(
  configuration: NetworkConfiguration,
  present: readonly A[],
): A[] {
  const valid = configuration['cni.dev/valid-attachments'] ?? configuration['cni.dev/attachments'];
  if (!valid) {
    throw new CniError(
      CNI_CODE.invalidConfiguration,
      'GC needs cni.dev/valid-attachments; an empty list says that none is valid',
    );
  }
  const isValid = new Set(valid.map(({ containerID, ifname }) => `${containerID}/${ifname}`));
  return present.filter(({ containerId, ifname }) => !isValid.has(`${containerId}/${ifname}`));
}

/**
 * Collects one after another; one that fails does not keep the others.
 *
 * @throws {CniError} Naming those that failed.
 */
export async function collectEach<A extends ListedAttachment>(
  attachments: readonly A[],
  collect: (attachment: A) => Promise<void>,
): Promise<void> {
  const failures: string[] = [];
  for (const attachment of attachments) {
    try {
      await collect(attachment);
    } catch (error) {
      const { containerId, ifname } = attachment;
      failures.push(`${containerId}/${ifname}: ${error instanceof Error ? error.message : error}`);
    }
  }
  if (failures.length > 0) throw new CniError(CNI_CODE.ioFailure, failures.join('; '));
}
