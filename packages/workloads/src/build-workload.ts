import type { Assignment } from '@overland/ipam';
import type { Prefix } from '@overland/net';
import type { ResolvedOptions } from './ports.ts';
import { within } from './within.ts';
import { workloadEndpointOf } from './workload-endpoint.ts';
import { linkOf, type WorkloadRecord } from './workload-record.ts';

/** Without Kubernetes a namespace has its name for a label and no other. */
const NAMESPACE_NAME_LABEL = 'projectcalico.org/name';

/** What the journal is told of an attach. */
export interface RecordedSteps {
  /**
   * Resolves when the attach is in the journal. No link is made before; an address may be: the collection at the start
   * of an agent finds those without a record, but leaves what has a link.
   */
  readonly begun: Promise<void>;
  /** Records that everything is made, while the host's side comes up. */
  readonly keep: (addressed: WorkloadRecord) => Promise<void>;
}

/**
 * Everything an attach does to the world: addresses and the pair of interfaces, then the container's end and the
 * endpoint; then it waits until the host's
 * side works. Each step can be repeated, and undone by what the record says. What does not need each other goes on
 * at the same time, and has ended, one way or another, when this ends: no link is made after it was undone.
 *
 * @param steps The journal's part.
 * @throws {AttachAbortedError} If the signal aborts.
 */
export async function buildWorkload(
  options: ResolvedOptions,
  record: WorkloadRecord,
  signal: AbortSignal,
  steps: RecordedSteps,
): Promise<void> {
  const { node, network, endpoints, dataplane } = options;
  const { request, hostInterface } = record;
  const assigned = within(signal, 'addresses', assignAddresses(options, record, signal));
  const made = steps.begun.then(() => network.create(linkOf(record)));
  // In this order: what the datastore refuses is said rather than what the kernel does.
  await allEnded([assigned, made]);
  const { addresses, routes } = await assigned;
  const addressed: WorkloadRecord = { ...record, addresses };
  const link = linkOf(addressed);
  if (request.isUnidentified) {
    // The host's end stays down: who does not know whose policy it needs lets nothing pass.
    await network.configure(link);
    await steps.keep(addressed);
    return;
  }
  // Asked first: the other holds this thread while it works.
  const stored = endpoints.put(workloadEndpointOf(node, addressed));
  await allEnded([network.configure(link), within(signal, 'the datastore', stored)]);
  const ready = dataplane.endpointReady(hostInterface, addresses, signal);
  await allEnded([steps.keep(addressed), within(signal, `${hostInterface} to come up`, ready)]);
  await awaitPeers(options, routes, signal);
}

/** @throws The first error, when all have ended. */
async function allEnded(works: readonly Promise<unknown>[]): Promise<void> {
  await Promise.allSettled(works);
  await Promise.all(works);
}

/** @returns The addresses, and by what the fabric finds them; of those that are not ours nobody tells it. */
async function assignAddresses(
  { node, ipam }: ResolvedOptions,
  { request, handle, families, hostInterface }: WorkloadRecord,
  signal: AbortSignal,
): Promise<Pick<Assignment, 'addresses' | 'routes'>> {
  if (request.foreignAddresses) return { addresses: request.foreignAddresses, routes: [] };
  return await ipam.assign({
    handle,
    families,
    attributes: { node, namespace: request.namespace, workload: request.name, hostInterface },
    namespaceLabels: { [NAMESPACE_NAME_LABEL]: request.namespace },
    ...(request.addresses && { addresses: request.addresses }),
    ...(request.pools && { pools: request.pools }),
    signal,
  });
}

/** A block (or an address from the block of another host) that no peer has yet makes the container unreachable from other hosts, but only for a moment. */
async function awaitPeers(
  { routesAdvertised, limits, log }: ResolvedOptions,
  routes: readonly Prefix[],
  signal: AbortSignal,
): Promise<void> {
  if (!routesAdvertised) return;
  const enough = AbortSignal.any([signal, AbortSignal.timeout(limits.advertisedMs)]);
  try {
    await within(enough, 'peers', routesAdvertised(routes, enough));
  } catch (error) {
    if (signal.aborted || !enough.aborted) throw error;
    log.warn({ routes }, 'workload attached before a peer has its routes');
  }
}
