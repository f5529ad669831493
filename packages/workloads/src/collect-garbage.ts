import { type Ipam, StaleReleaseError } from '@overland/ipam';
import { workloadHandlePrefix } from '@overland/model';
import type { IpAddress } from '@overland/net';
import type { EndpointStore } from './endpoint-store.ts';
import type { WorkloadNetwork } from './workload-network.ts';
import { hostInterfaceOf } from './workload-record.ts';

/** What had no owner and was removed. */
export interface Garbage {
  readonly addresses: readonly IpAddress[];
  /** Names of WorkloadEndpoints. */
  readonly endpoints: readonly string[];
}

export interface GarbageCollector {
  readonly node: string;
  readonly ipam: Ipam;
  readonly network: WorkloadNetwork;
  readonly endpoints: EndpointStore;
  /** Whether the journal knows the host interface, now. */
  readonly isRecorded: (hostInterface: string) => boolean;
  /** Keeps attaches and detaches of the host interface waiting meanwhile. */
  readonly exclusively: (hostInterface: string, task: () => Promise<void>) => Promise<void>;
}

/**
 * Removes endpoints and gives back addresses of this node that are ours and that neither the journal nor the
 * kernel knows: a lost journal alone costs no running container its address. Releases carry the sequence
 * number that was seen, so one that was assigned anew meanwhile stays.
 */
export async function collectGarbage(collector: GarbageCollector): Promise<Garbage> {
  const { node, ipam, network, endpoints, isRecorded, exclusively } = collector;
  const isGone = async (hostInterface: string): Promise<boolean> =>
    !isRecorded(hostInterface) && !(await network.exists(hostInterface));

  const removed: string[] = [];
  for (const { metadata, spec } of await endpoints.list()) {
    const { containerID: containerId = '', endpoint, interfaceName = '' } = spec;
    const { name, namespace = 'default' } = metadata;
    if (interfaceName !== hostInterfaceOf({ containerId, interface: endpoint })) continue;
    await exclusively(interfaceName, async () => {
      if (!(await isGone(interfaceName))) return;
      await endpoints.remove({ name, namespace, containerId });
      removed.push(name);
    });
  }
  const released: IpAddress[] = [];
  // By handle, and not only in this host's blocks: some may be borrowed from those of others.
  for (const allocation of await ipam.allocationsByHandle(workloadHandlePrefix(node))) {
    const { address, handle, sequence, attributes } = allocation;
    const { hostInterface } = attributes;
    // Without an interface of ours it was assigned for somebody else's: they give it back.
    if (!handle || !hostInterface || attributes.node !== node) continue;
    await exclusively(hostInterface, async () => {
      if (!(await isGone(hostInterface))) return;
      try {
        released.push(...(await ipam.releaseAddresses([{ address, handle, sequence }])));
      } catch (error) {
        if (!(error instanceof StaleReleaseError)) throw error;
      }
    });
  }
  return { addresses: released, endpoints: removed };
}
