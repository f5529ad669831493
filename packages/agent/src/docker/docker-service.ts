import { setTimeout as delay } from 'node:timers/promises';
import type { Datastore } from '@overland/datastore';
import {
  type AddressLease,
  answerCall,
  attachmentOf,
  type DockerEndpoint,
  type DockerHost,
  type DockerNetwork,
  EngineClient,
  type Pool,
  RecordFiles,
} from '@overland/docker';
import type { Ipam } from '@overland/ipam';
import type { Prefix } from '@overland/net';
import type { WorkloadIdentity } from '@overland/workloads';
import type { Logger } from 'pino';
import { ProfileKeeper } from '../profile-keeper.ts';
import type { WorkloadService } from '../workload-service.ts';
import { DockerIdentities } from './docker-identities.ts';
import { DockerLeases } from './docker-leases.ts';
import { DockerLeftovers } from './docker-leftovers.ts';

export interface DockerServiceOptions {
  readonly node: string;
  readonly datastore: Datastore;
  readonly ipam: Ipam;
  readonly workloads: Pick<WorkloadService, 'attach' | 'detach' | 'identify'>;
  readonly pools: () => readonly Pool[];
  /** Whether the datastore has been read. */
  readonly isReady: () => boolean;
  /** Resolves when peers have the routes, or after a while. */
  readonly offered: (routes: readonly Prefix[]) => Promise<unknown>;
  /** Has packets of workloads accepted where Docker would have them dropped. */
  readonly acceptForwarding: () => Promise<void>;
  readonly stateDirectory: string;
  /** Of Docker's API; `undefined`: it is not to be asked. */
  readonly apiSocket: string | undefined;
  readonly log: Logger;
}

/** Docker asks again when nobody answers, but not when it is told no. */
const READY_WAIT_MS = 20_000;
const LOOK_MS = 50;
const FORWARDING_LOOK_MS = 15_000;
/** The others, what ends containers among them, work without a datastore. */
const NEEDING_POOLS: ReadonlySet<string> = new Set([
  'IpamDriver.RequestPool',
  'IpamDriver.RequestAddress',
  'NetworkDriver.Join',
]);

interface Records {
  readonly networks: RecordFiles<DockerNetwork>;
  readonly endpoints: RecordFiles<DockerEndpoint>;
  readonly leases: RecordFiles<AddressLease>;
}

/** Answers Docker's calls. What they mean is in `@overland/docker`; here is what this host does for it. */
export class DockerService {
  readonly #options: DockerServiceOptions;
  readonly #host: DockerHost;
  readonly #leases: DockerLeases;
  readonly #identities: DockerIdentities | undefined;
  readonly #leftovers: DockerLeftovers | undefined;

  private constructor(options: DockerServiceOptions, { networks, endpoints, leases }: Records) {
    const { node, ipam, workloads, datastore, log, apiSocket } = options;
    this.#options = options;
    this.#leases = new DockerLeases({ node, ipam, records: leases, log });
    const profiles = new ProfileKeeper(datastore, log);
    const engine = apiSocket === undefined ? undefined : new EngineClient(apiSocket);
    this.#identities =
      engine &&
      new DockerIdentities({
        engine,
        endpoints,
        log,
        identify: (id, identity) => this.#identify(id, identity),
        onConnected: () => void this.#acceptForwarding(),
      });
    this.#leftovers =
      engine &&
      new DockerLeftovers({
        engine,
        networks,
        endpoints,
        leases: this.#leases,
        log,
        detach: async (id) => {
          await workloads.detach(attachmentOf(id));
        },
      });
    this.#host = {
      networks,
      endpoints,
      pools: options.pools,
      addresses: {
        assign: async (wish) => {
          const { address, routes } = await this.#leases.assign(wish);
          await options.offered(routes);
          return address;
        },
        isHeld: (address) => this.#leases.isHeld(address),
        release: (address) => this.#leases.release(address),
      },
      networkName: (id) => nameOf(engine, id),
      asksForLabels: engine !== undefined,
      attach: async (request, profile) => {
        await profiles.ensure(profile);
        await options.acceptForwarding();
        return await workloads.attach(request);
      },
      detach: async (key) => {
        await workloads.detach(key);
      },
      identifySoon: () => this.#identities?.lookSoon(),
    };
  }

  /** Reads what Docker has told an earlier process. */
  static async open(options: DockerServiceOptions): Promise<DockerService> {
    const directory = `${options.stateDirectory}/docker`;
    const records: Records = {
      networks: await RecordFiles.open(`${directory}/networks`),
      endpoints: await RecordFiles.open(`${directory}/endpoints`),
      leases: await RecordFiles.open(`${directory}/addresses`),
    };
    for (const path of Object.values(records).flatMap(({ unreadable }) => unreadable)) {
      options.log.error(
        { path },
        'record of what Docker has told cannot be read: nothing of Docker is given back by itself until the file is mended or removed, and the agent started again',
      );
    }
    return new DockerService(options, records);
  }

  /** @returns `undefined`: there is no such call. */
  async answer(path: string, body: unknown): Promise<object | undefined> {
    if (NEEDING_POOLS.has(path) && !(await this.#untilReady())) {
      const message = 'the datastore has not been read yet';
      return path.startsWith('IpamDriver.') ? { Error: message } : { Err: message };
    }
    const answer = await answerCall(path, body, this.#host);
    const refusal = answer && ('Err' in answer ? answer.Err : 'Error' in answer && answer.Error);
    if (refusal) this.#options.log.warn({ call: path, answer: refusal }, 'call of Docker failed');
    return answer;
  }

  /** Does what was not answered at once, until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([
      this.#leases.run(signal),
      this.#identities?.run(signal),
      this.#leftovers?.run(signal),
      this.#keepForwarding(signal),
    ]);
  }

  async #identify(id: string, identity: WorkloadIdentity): Promise<boolean> {
    return await this.#options.workloads.identify(attachmentOf(id), identity);
  }

  async #acceptForwarding(): Promise<void> {
    const { acceptForwarding, log } = this.#options;
    await acceptForwarding().catch((error: unknown) => {
      log.error({ err: error }, "DOCKER-USER could not be written: Docker's FORWARD may drop");
    });
  }

  /** Others flush chains, and policy may come back to nftables. */
  async #keepForwarding(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#acceptForwarding();
      await delay(FORWARDING_LOOK_MS, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  async #untilReady(): Promise<boolean> {
    const { isReady } = this.#options;
    const deadline = performance.now() + READY_WAIT_MS;
    while (!isReady() && performance.now() < deadline) await delay(LOOK_MS);
    return isReady();
  }
}

async function nameOf(engine: EngineClient | undefined, id: string): Promise<string> {
  const network = await engine?.network(id).catch((error: unknown) => {
    throw new Error("the network's name is not known: Docker's API does not answer", {
      cause: error,
    });
  });
  if (network) return network.name;
  throw new Error(
    "the network's name is not known: create it with -o overland.network=NAME, or let the agent ask Docker (dockerApiSocket)",
  );
}
