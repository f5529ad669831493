import { hostname } from 'node:os';
import { MessageChannel } from 'node:worker_threads';
import { thisProgram } from '@overland/bgp/bfd';
import type { Logger } from 'pino';
import { agentMetrics } from './agent-metrics.ts';
import { agentRoutes, started } from './agent-routes.ts';
import { serveApi } from './api-server.ts';
import { cniRoutes } from './cni-routes.ts';
import type { DataplaneMethods } from './dataplane-methods.ts';
import type { DataplaneData } from './dataplane-worker.ts';
import { dockerRoutes } from './docker/docker-routes.ts';
import { flowFile } from './flows/flow-file.ts';
import { flowOtlp } from './flows/flow-otlp.ts';
import { flowRoutes } from './flows/flow-routes.ts';
import { FlowService } from './flows/flow-service.ts';
import { Health } from './health.ts';
import { hostId } from './host-id.ts';
import { createLogger } from './logger.ts';
import { holdNamespace } from './namespace-lock.ts';
import { probeRoutes } from './probe-routes.ts';
import type { Config } from './settings.ts';
import type { SpeakerMethods } from './speaker-methods.ts';
import type { SpeakerData } from './speaker-worker.ts';
import type { StoreMethods } from './store-methods.ts';
import type { StoreData } from './store-worker.ts';
import { type Part, supervise } from './supervise.ts';
import { startThread, type ThreadOptions, threadModule } from './thread.ts';
import { watchHealth } from './thread-health.ts';
import type { Methods, Remote } from './thread-rpc.ts';
import { workloadRoutes } from './workload-routes.ts';
import { readDocuments } from './yaml-file.ts';

/** The threads, each present once it has started. */
export interface AgentThreads {
  dataplane?: Remote<DataplaneMethods>;
  speaker?: Remote<SpeakerMethods>;
  store?: Remote<StoreMethods>;
}

/** Heaps, MiB: typed arrays, where the speaker's tables live, are outside. */
const HEAP_MEBIBYTES = { dataplane: 256, speaker: 512, store: 256 } as const;

/**
 * Runs the agent until `signal` aborts. It then leaves quietly: the kernel keeps its state, and the peers keep our
 * routes (RFC 4724), so that a restart loses nothing.
 *
 * @throws {NamespaceTakenError} If this network namespace has an agent already.
 * @throws {NodeNameTakenError} If another host has the node's name.
 * @throws {ConfigError} If the bootstrap file is faulty.
 * @throws {ThreadExitError} If a thread ends by itself.
 */
export async function runAgent(config: Config, signal: AbortSignal): Promise<void> {
  const log = createLogger(config.logLevel, 'main');
  const failure = new AbortController();
  const fail = (error: unknown): void => failure.abort(error);
  log.info({ node: config.nodeName, pid: process.pid, node_js: process.version }, 'agent starts');
  try {
    await supervise(agentParts(config, log, fail), AbortSignal.any([signal, failure.signal]));
    failure.signal.throwIfAborted();
  } catch (error) {
    log.fatal({ err: error }, 'agent ends; kernel state and routes stay');
    throw error;
  }
  log.info('agent stopped; kernel state and routes stay');
}

/** Everything there is to start, in order. */
function agentParts(config: Config, log: Logger, fail: (error: unknown) => void): Part[] {
  const threads: AgentThreads = {};
  const health = new Health(Object.keys(HEAP_MEBIBYTES));
  const speakerToDataplane = new MessageChannel();
  const storeToDataplane = new MessageChannel();
  const storeToSpeaker = new MessageChannel();
  let flows: FlowService | undefined;
  return [
    () => holdNamespace(`node ${config.nodeName}, pid ${process.pid} on ${hostname()}`),
    () => serveAgentApi(config, { threads, health, log, flows: () => flows }),
    async () => {
      const speaker = speakerToDataplane.port2;
      const store = storeToDataplane.port2;
      const data: DataplaneData = {
        logLevel: config.logLevel,
        stateDirectory: config.stateDirectory,
        readBackSeconds: config.routeReadBackSeconds,
        packetFilter: config.packetFilter,
        speaker,
        store,
      };
      return thread<DataplaneMethods>(threads, 'dataplane', {
        data,
        ports: [speaker, store],
        fail,
      });
    },
    async () => {
      const dataplane = speakerToDataplane.port1;
      const store = storeToSpeaker.port2;
      const bfd = { socket: config.bfdSocket, command: thisProgram() };
      const data: SpeakerData = { logLevel: config.logLevel, bfd, dataplane, store };
      return thread<SpeakerMethods>(threads, 'speaker', { data, ports: [dataplane, store], fail });
    },
    async () => {
      const dataplane = storeToDataplane.port1;
      const speaker = storeToSpeaker.port1;
      const id = await hostId(config.stateDirectory);
      const manifests = await readDocuments(config.bootstrapFile);
      const data: StoreData = { config, hostId: id, manifests, dataplane, speaker };
      return thread<StoreMethods>(threads, 'store', { data, ports: [dataplane, speaker], fail });
    },
    // Not before: Docker asks again while nobody answers.
    () => serveDocker(config, threads, log),
    async () => {
      flows = flowService(config, threads, log);
      return flows;
    },
    async () => {
      const sources = Object.fromEntries(
        Object.entries(threads).map(([name, remote]) => [name, { health: () => remote.health() }]),
      );
      const watch = watchHealth(health, sources);
      return { [Symbol.asyncDispose]: async () => watch[Symbol.dispose]() };
    },
  ];
}

function flowService(config: Config, threads: AgentThreads, log: Logger): FlowService {
  const { nodeName: node, flows: collect, flowIntervalSeconds, flowFile: file } = config;
  const endpoint = config.flowOtlpEndpoint;
  return new FlowService({
    node,
    collect,
    log,
    intervalMs: flowIntervalSeconds * 1000,
    sinks: [
      ...(file === undefined ? [] : [flowFile(file)]),
      ...(endpoint === undefined ? [] : [flowOtlp(new URL(endpoint))]),
    ],
    sources: {
      start: () => started(threads, 'dataplane').startFlows(),
      stop: () => started(threads, 'dataplane').stopFlows(),
      take: () => started(threads, 'dataplane').takeFlows(),
      describe: (flows) => started(threads, 'store').describeFlows(flows),
    },
  });
}

interface Served {
  readonly threads: AgentThreads;
  readonly health: Health;
  readonly log: Logger;
  readonly flows: () => FlowService | undefined;
}

async function serveAgentApi(
  config: Config,
  { threads, health, log, flows }: Served,
): Promise<AsyncDisposable> {
  const stack = new AsyncDisposableStack();
  const probes = probeRoutes({
    health: () => health.summary(performance.now()),
    metrics: async () => [...(await agentMetrics(threads)), ...(flows()?.metrics() ?? [])],
  });
  const routes = [
    ...probes,
    ...agentRoutes(threads),
    ...workloadRoutes(threads),
    ...cniRoutes(threads),
    ...flowRoutes(flows),
  ];
  stack.use(await serveApi({ socket: config.apiSocket }, routes, log));
  if (config.metricsPort > 0) {
    stack.use(await serveApi({ port: config.metricsPort }, probes, log));
  }
  return stack;
}

async function serveDocker(
  { dockerPluginSocket: socket }: Config,
  threads: AgentThreads,
  log: Logger,
): Promise<AsyncDisposable> {
  const stack = new AsyncDisposableStack();
  if (socket !== undefined) stack.use(await serveApi({ socket }, dockerRoutes(threads), log));
  return stack;
}

interface ThreadStart {
  readonly data: unknown;
  readonly ports: ThreadOptions['ports'];
  readonly fail: (error: unknown) => void;
}

async function thread<M extends Methods>(
  threads: AgentThreads,
  name: keyof AgentThreads,
  { data, ports, fail }: ThreadStart,
): Promise<AsyncDisposable> {
  const started = await startThread<M>({
    name,
    module: threadModule(import.meta.url, `./${name}-worker`),
    data,
    ports,
    local: {},
    heapMebibytes: HEAP_MEBIBYTES[name],
    onExit: fail,
  });
  Object.assign(threads, { [name]: started.remote });
  return started;
}
