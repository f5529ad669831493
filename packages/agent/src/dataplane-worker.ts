import { type MessagePort, workerData } from 'node:worker_threads';
import type { Dataplane, FilterSetting, InterfaceStatus } from '@overland/felix';
import { createDataplane, FlowCollector } from '@overland/felix/dataplane';
import { type Kernel, openKernel, PROTOCOL } from '@overland/linux';
import { type Family, isWorkloadLink } from '@overland/net';
import type {
  DataplaneForSpeaker,
  DataplaneForStore,
  DataplaneMethods,
} from './dataplane-methods.ts';
import { HostPolicy } from './host-policy.ts';
import { HostSettings } from './host-settings.ts';
import { kernelMethods } from './kernel-channel.ts';
import { createLogger } from './logger.ts';
import type { SpeakerForDataplane } from './speaker-methods.ts';
import type { StoreForDataplane } from './store-methods.ts';
import { runThread, type ThreadBody } from './thread-main.ts';
import { openChannel } from './thread-rpc.ts';

/** What main gives this thread. */
export interface DataplaneData {
  readonly logLevel: string;
  readonly stateDirectory: string;
  readonly readBackSeconds: number;
  readonly packetFilter: FilterSetting;
  readonly speaker: MessagePort;
  readonly store: MessagePort;
}

/** The only thread that writes kernel state: a netlink call can stall it for 40–110 ms, and nobody else. */
async function start(): Promise<ThreadBody> {
  const data = workerData as DataplaneData;
  const log = createLogger(data.logLevel, 'dataplane');
  const kernel = openKernel();
  const settings = new HostSettings(kernel.sysctls, data.stateDirectory, log);
  await settings.apply(await uplinksOf(kernel));
  const preserved = await preservedFamilies(kernel);
  const readBackMs = data.readBackSeconds * 1000;
  const policy = await HostPolicy.open(data.packetFilter, log);
  const { backend } = policy;
  const dataplane = createDataplane({ kernel, policy: backend, log, readBackMs });

  const toStore = serveStore(data.store, { dataplane, policy, kernel });
  const toSpeaker = serveSpeaker(data.speaker, { dataplane, kernel, preserved });
  dataplane.onInterfaces((interfaces) => {
    // They stop before us, and may have gone.
    toSpeaker.setInterfaces(interfaces).catch(() => undefined);
    toStore.setUplinkMtu(uplinkMtu(interfaces)).catch(() => undefined);
    void settings.apply(interfaces.map(({ name }) => name).filter(isUplink));
  });
  dataplane.finished.catch(endThread);
  const flows = new FlowCollector(log);
  const methods: DataplaneMethods = {
    status: () => dataplane.status(),
    health: () => healthOf(dataplane),
    takeOver: (remove) => policy.takeOver(remove),
    startFlows: () => flows.start(),
    stopFlows: () => flows.stop(),
    takeFlows: () => flows.take(),
  };
  return {
    methods,
    async stop() {
      flows.stop();
      await dataplane[Symbol.asyncDispose]();
      policy[Symbol.dispose]();
      await kernel[Symbol.asyncDispose]();
    },
  };
}

interface SpeakerNeeds {
  readonly dataplane: Dataplane;
  readonly kernel: Kernel;
  readonly preserved: readonly Family[];
}

function serveSpeaker(port: MessagePort, { dataplane, kernel, preserved }: SpeakerNeeds) {
  const local: DataplaneForSpeaker = {
    preserved: () => preserved,
    applyRoutes: (batch) => dataplane.applyRoutes(batch),
    probe: ({ device, address }) => kernel.neighbours.probe(device, address),
  };
  return openChannel<SpeakerForDataplane>(port, local);
}

interface StoreNeeds {
  readonly dataplane: Dataplane;
  readonly policy: HostPolicy;
  readonly kernel: Kernel;
}

function serveStore(port: MessagePort, { dataplane, policy, kernel }: StoreNeeds) {
  const local: DataplaneForStore = {
    setLocalState: (state) => dataplane.setLocalState(state),
    changePolicy: (change) => dataplane.changePolicy(change),
    async setFilterMode(mode) {
      await policy.setMode(mode);
      dataplane.reconcilePolicy();
    },
    acceptInDockerUser: () => policy.acceptInDockerUser(),
    endpointReady: (interfaceName, addresses, timeoutMs) =>
      dataplane.endpointReady(interfaceName, addresses, AbortSignal.timeout(timeoutMs)).then(
        () => true,
        () => false,
      ),
  };
  return openChannel<StoreForDataplane>(port, { ...local, ...kernelMethods(kernel) });
}

function healthOf(dataplane: Dataplane) {
  const { failureCount, readBackAgeMs } = dataplane.status();
  if (readBackAgeMs === undefined) return { ready: false, detail: 'waiting for local state' };
  const detail = failureCount === 0 ? 'in step with the kernel' : `${failureCount} failures`;
  return { ready: true, detail };
}

/** Families whose forwarding has survived the agent before us: routes of ours are in the kernel. */
async function preservedFamilies(kernel: Kernel): Promise<Family[]> {
  const preserved: Family[] = [];
  for (const family of ['ipv4', 'ipv6'] as const) {
    const learned = await kernel.routes.list(family, PROTOCOL.bgp);
    const local = learned.length > 0 ? [] : await kernel.routes.list(family, PROTOCOL.local);
    if (learned.length + local.length > 0) preserved.push(family);
  }
  return preserved;
}

async function uplinksOf(kernel: Kernel): Promise<string[]> {
  return (await kernel.links.list()).map(({ name }) => name).filter(isUplink);
}

function isUplink(name: InterfaceStatus['name']): boolean {
  return name !== 'lo' && !isWorkloadLink(name);
}

/** The smallest of the links that lead out: what every way through the fabric takes; `undefined`: there is none. */
function uplinkMtu(interfaces: readonly InterfaceStatus[]): number | undefined {
  const uplinks = interfaces.filter(({ name, up }) => up && isUplink(name));
  return uplinks.length === 0 ? undefined : Math.min(...uplinks.map(({ mtu }) => mtu));
}

/** Nobody else would do this thread's work: its failure is the process's. */
function endThread(error: unknown): void {
  setImmediate(() => {
    throw error;
  });
}

runThread(start);
