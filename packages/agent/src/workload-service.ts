import type { Datastore } from '@overland/datastore';
import type { Ipam } from '@overland/ipam';
import { namespaceIdentity, openKernel } from '@overland/linux';
import { contains, type Family, hostPrefix, type IpAddress, type Prefix } from '@overland/net';
import {
  type AttachedWorkload,
  type AttachRequest,
  createWorkloads,
  type DetachedWorkload,
  type DetachRequest,
  datastoreEndpoints,
  fileJournal,
  type ListedWorkload,
  vethNetwork,
  type WorkloadIdentity,
  type Workloads,
} from '@overland/workloads';
import type { Logger } from 'pino';
import type { DataplaneForStore } from './dataplane-methods.ts';
import { type KernelMethods, remoteKernel } from './kernel-channel.ts';
import type { Config } from './settings.ts';
import type { SpeakerForStore } from './speaker-methods.ts';
import type { Remote } from './thread-rpc.ts';

/** How long one question to the dataplane waits before it is asked again, milliseconds. */
const ASK_AGAIN_MS = 1000;
const DEFAULT_MTU = 1500;

export interface WorkloadServiceOptions {
  readonly config: Config;
  readonly datastore: Datastore;
  readonly ipam: Ipam;
  readonly log: Logger;
  readonly speaker: Remote<SpeakerForStore>;
  readonly dataplane: Remote<DataplaneForStore & KernelMethods>;
  /** Families that have a pool now. */
  readonly families: () => readonly Family[];
  /** This host's blocks. */
  readonly blocks: () => readonly Prefix[];
  /** Of the links that lead out, octets; `undefined`: there is none. */
  readonly uplinkMtu: () => number | undefined;
  /** Told the host interfaces of workloads that have left. */
  readonly onDeparted: (hostInterfaces: ReadonlySet<string>) => void;
}

/** The containers of this host, attached and detached at the API's request. */
export class WorkloadService {
  readonly #workloads: Workloads;
  readonly #options: WorkloadServiceOptions;

  private constructor(workloads: Workloads, options: WorkloadServiceOptions) {
    this.#workloads = workloads;
    this.#options = options;
  }

  /** Reads the journal. Detaching works from now on, whether or not the datastore answers. */
  static async open(options: WorkloadServiceOptions): Promise<WorkloadService> {
    const { config, datastore, ipam, log, speaker, dataplane, families, onDeparted } = options;
    const node = config.nodeName;
    const advertisedMs = config.offerWaitSeconds * 1000;
    const kernel = remoteKernel(dataplane);
    const workloads = await createWorkloads({
      node,
      ipam,
      log,
      families,
      onDeparted,
      network: vethNetwork({
        kernel,
        // The container's own namespace is nobody else's business; it is configured from this thread.
        openNamespace: (namespace) => openKernel({ namespace }),
        identityOf: namespaceIdentity,
      }),
      endpoints: datastoreEndpoints(datastore, node, () => new Date()),
      dataplane: { endpointReady: waitForEndpoint(dataplane) },
      journal: fileJournal(`${config.stateDirectory}/workloads`),
      mtu: () => options.uplinkMtu() ?? DEFAULT_MTU,
      routesAdvertised: async (routes) => {
        if (!(await speaker.offered(routes, advertisedMs))) {
          log.warn(
            { routes },
            'no peer has the route yet: its addresses are known to this host only',
          );
        }
      },
      limits: { advertisedMs: advertisedMs + ASK_AGAIN_MS },
    });
    return new WorkloadService(workloads, options);
  }

  /** Takes apart what an earlier process left half done, and gives back what no workload of this node holds. */
  async recover(): Promise<void> {
    await this.#workloads.recover();
  }

  /** Keeps finishing what waits for the datastore, until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    await this.#workloads.run(signal);
  }

  async attach(request: AttachRequest): Promise<AttachedWorkload> {
    return await this.#workloads.attach(request);
  }

  /** Whether a peer has been offered the ways to the addresses. */
  async isAnnounced({ addresses }: AttachedWorkload): Promise<boolean> {
    const { blocks, speaker } = this.#options;
    const own = blocks();
    const routes = addresses.map(
      (address) => own.find((block) => contains(block, address)) ?? hostPrefix(address),
    );
    return await speaker.offered([...new Set(routes)], 0);
  }

  async detach(key: DetachRequest): Promise<DetachedWorkload> {
    return await this.#workloads.detach(key);
  }

  async identify(key: DetachRequest, identity: WorkloadIdentity): Promise<boolean> {
    return await this.#workloads.identify(key, identity);
  }

  async check(key: DetachRequest): Promise<readonly string[]> {
    return await this.#workloads.check(key);
  }

  list(): readonly ListedWorkload[] {
    return this.#workloads.list();
  }
}

/** Asks the other thread in slices, because a signal does not cross. */
function waitForEndpoint(dataplane: Remote<DataplaneForStore>) {
  return async (
    interfaceName: string,
    addresses: readonly IpAddress[],
    signal: AbortSignal,
  ): Promise<void> => {
    while (!(await dataplane.endpointReady(interfaceName, addresses, ASK_AGAIN_MS))) {
      signal.throwIfAborted();
    }
  };
}
