import { hostPrefix } from '@overland/net';
import type { ResolvedOptions } from './ports.ts';
import { endpointNameOf } from './workload-endpoint.ts';
import { linkOf, type WorkloadRecord } from './workload-record.ts';

/**
 * Compares what an attachment should be with what there is: its link and both ends, its endpoint, its addresses,
 * and whether the host's side works behind its policy.
 *
 * @param record Of what is attached.
 * @returns What is amiss, in words; none: all is well.
 */
export async function checkWorkload(
  { node, network, endpoints, ipam, dataplane, limits }: ResolvedOptions,
  record: WorkloadRecord,
): Promise<string[]> {
  const { request, hostInterface, addresses, handle } = record;
  const faults = await network.check(linkOf(record));
  if (faults.length > 0) return faults;
  const name = endpointNameOf(node, request);
  const networks = await endpoints.networksOf(name);
  if (!networks) faults.push(`there is no WorkloadEndpoint ${name.namespace}/${name.name} of it`);
  for (const address of addresses) {
    if (networks && !networks.includes(hostPrefix(address)))
      faults.push(`the WorkloadEndpoint ${name.name} has not the address ${address}`);
  }
  if (!request.foreignAddresses) {
    const held = new Set(
      (await ipam.allocationsByHandle(handle)).flatMap((allocation) =>
        allocation.handle === handle ? allocation.address : [],
      ),
    );
    for (const address of addresses) {
      if (!held.has(address)) faults.push(`the address ${address} is not assigned to it any more`);
    }
  }
  const enough = AbortSignal.timeout(limits.checkMs);
  try {
    await dataplane.endpointReady(hostInterface, addresses, enough);
  } catch (error) {
    if (!enough.aborted) throw error;
    faults.push(`the host has no working route and policy for ${hostInterface}`);
  }
  return faults;
}
