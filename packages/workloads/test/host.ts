import { honourLock, MemoryDatastore } from '@overland/datastore';
import { createIpam, type Ipam, IpamView } from '@overland/ipam';
import type { Kernel } from '@overland/linux';
import { type FakeKernel, fakeKernel } from '@overland/linux/testing';
import { blockPrefix, HANDLE_PREFIX, resourceKey, resourcePrefix } from '@overland/model';
import pino from 'pino';
import {
  type AttachRequest,
  createWorkloads,
  datastoreEndpoints,
  type Journal,
  parseAttachRequest,
  vethNetwork,
  type WorkloadRecord,
  type Workloads,
  type WorkloadsOptions,
} from '../src/index.ts';

/** What may happen to a call of a process to anything outside of it. */
export type Gate = (call: string, perform: () => Promise<unknown>) => Promise<unknown>;

const OPEN: Gate = (_, perform) => perform();

/** A request with everything that it must have. */
export function request(overrides: Record<string, unknown> = {}): AttachRequest {
  return parseAttachRequest({
    containerId: 'c0ffee',
    interface: 'eth0',
    namespacePath: '/run/netns/web1',
    name: 'web1',
    ...overrides,
  });
}

/** A process of the agent, as far as workloads go. */
export interface Process {
  readonly workloads: Workloads;
  readonly ipam: Ipam;
  /** What it last said about departed workloads. */
  readonly departed: () => readonly string[];
}

/**
 * One host in memory: its kernel, its disk and the cluster's datastore, which all outlive the processes that are
 * started on it.
 */
export class Host implements AsyncDisposable {
  readonly kernel: FakeKernel = fakeKernel();
  readonly datastore = new MemoryDatastore();
  readonly files = new Map<string, WorkloadRecord>();
  /** Answers `endpointReady`, in place of felix: sets the host's end up. */
  bringUp: (hostInterface: string, signal: AbortSignal) => Promise<void> = (hostInterface) =>
    this.kernel.links.set(hostInterface, { up: true });
  readonly #stop = new AbortController();

  static async create(pools = { v4: '10.65.0.0/24', v6: 'fd00:65::/116' }): Promise<Host> {
    const host = new Host();
    for (const name of ['web1', 'web2']) host.kernel.addNamespace(`/run/netns/${name}`);
    for (const [name, cidr] of Object.entries(pools)) {
      const pool = {
        apiVersion: 'projectcalico.org/v3',
        kind: 'IPPool',
        metadata: { name },
        spec: { cidr },
      };
      const key = resourceKey('IPPool', { name });
      const value = JSON.stringify(pool);
      await host.datastore.transact({ conditions: [], operations: [{ type: 'put', key, value }] });
    }
    return host;
  }

  /** Starts a process; every call it makes to kernel, disk and datastore passes the gate. */
  async start(gate: Gate = OPEN, options: Partial<WorkloadsOptions> = {}): Promise<Process> {
    const node = 'host11';
    const view = new IpamView(node);
    void view.follow((prefix) => this.datastore.watch(prefix, this.#stop.signal));
    await view.synced;
    const datastore = gated('datastore', honourLock(this.datastore), gate);
    const ipam = createIpam({ datastore, node, view, now: () => new Date(0) });
    let departed: readonly string[] = [];
    const workloads = await createWorkloads({
      node,
      ipam,
      network: vethNetwork({
        kernel: gatedKernel(this.kernel, gate),
        openNamespace: (path) => gatedKernel(this.kernel.open(path), gate),
        identityOf: (path) =>
          /^.(run.netns.web\d|proc.self.ns.net)$/.test(path) ? path : undefined,
      }),
      endpoints: datastoreEndpoints(datastore, node, () => new Date(0)),
      dataplane: gated(
        'dataplane',
        {
          endpointReady: (name: string, _: unknown, signal: AbortSignal) =>
            this.bringUp(name, signal),
        },
        gate,
      ),
      journal: gated('journal', this.#journal(), gate),
      log: pino({ level: 'silent' }),
      mtu: () => 1500,
      families: () => view.families(),
      onDeparted: (names) => {
        departed = [...names];
      },
      ...options,
    });
    return { workloads, ipam, departed: () => departed };
  }

  /** Address management of another host of the cluster. */
  async neighbour(node: string): Promise<Ipam> {
    const view = new IpamView(node);
    void view.follow((prefix) => this.datastore.watch(prefix, this.#stop.signal));
    await view.synced;
    return createIpam({ datastore: this.datastore, node, view, now: () => new Date(0) });
  }

  /** Everything there is of workloads, in kernel, journal and datastore: empty lists when nothing is left. */
  async remains() {
    const keys = async (prefix: string): Promise<string[]> =>
      (await this.datastore.list(prefix)).entries.map(({ key }) => key);
    const blocks = (await this.datastore.list(blockPrefix())).entries;
    return {
      links: (await this.kernel.links.list()).map(({ name }) => name).filter((n) => n !== 'lo'),
      inContainers: [
        ...(await this.kernel.open('/run/netns/web1').links.list()),
        ...(await this.kernel.open('/run/netns/web2').links.list()),
      ].flatMap(({ name }) => (name === 'lo' ? [] : name)),
      journal: [...this.files.values()].map(({ state }) => state),
      endpoints: await keys(resourcePrefix('WorkloadEndpoint')),
      handles: await keys(HANDLE_PREFIX),
      held: blocks.flatMap(({ value }) => {
        const { allocations } = JSON.parse(value) as { allocations: (number | null)[] };
        return allocations.filter((index) => index !== null);
      }).length,
    };
  }

  #journal(): Journal {
    return {
      list: async () => ({ records: [...this.files.values()], unreadable: [] }),
      write: async (record) => void this.files.set(record.hostInterface, structuredClone(record)),
      remove: async (hostInterface) => void this.files.delete(hostInterface),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
  }
}

export const NOTHING = {
  links: [],
  inContainers: [],
  journal: [],
  endpoints: [],
  handles: [],
  held: 0,
};

/** Sends every method call of a port through the gate. */
function gated<T extends object>(name: string, port: T, gate: Gate): T {
  return new Proxy(port, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property, target);
      if (typeof value !== 'function' || typeof property !== 'string') return value;
      return (...given: unknown[]) =>
        gate(`${name}.${property}`, async () => value.apply(target, given));
    },
  });
}

function gatedKernel(kernel: FakeKernel, gate: Gate): Kernel {
  return {
    ...kernel,
    links: gated('links', kernel.links, gate),
    routes: gated('routes', kernel.routes, gate),
    sysctls: gated('sysctls', kernel.sysctls, gate),
    [Symbol.asyncDispose]: async () => undefined,
  };
}
