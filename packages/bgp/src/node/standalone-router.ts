import { type Kernel, openKernel } from '@overland/linux';
import type { Logger } from 'pino';
import type { SpeakerConfig } from '../core/config.ts';
import { createRouteEngine } from '../core/rib/engine.ts';
import type { InterfaceState, RouteEngine } from '../core/rib/route-engine.ts';
import { TraceRecorder } from '../core/trace/trace-recorder.ts';
import { BfdWatch } from './bfd/bfd-watch.ts';
import { serveControlSocket } from './control-socket.ts';
import { StandaloneFib } from './fib/standalone-fib.ts';
import { watchKernel } from './kernel-watch.ts';
import { serveMetrics } from './metrics-server.ts';
import { feedMrt } from './mrt-feed.ts';
import { refeedMrt } from './mrt-refeed.ts';
import { reloadOnHangup } from './reload-on-hangup.ts';
import { startSpeaker } from './speaker.ts';
import { openTraceFile } from './trace-file.ts';

/** Slow read-back of the kernel's routes, which mends what somebody else broke, milliseconds. */
const RESYNC_MS = 30_000;
/** What somebody else does to our routes, he may do to many: they are read back once, milliseconds. */
const REPAIR_MS = 100;

export interface StandaloneRouterOptions {
  readonly config: SpeakerConfig;
  /** Reads the configuration anew; for SIGHUP. A rejection leaves in force what is. */
  readonly readConfig: () => Promise<SpeakerConfig>;
  readonly log: Logger;
  /** Path of the control socket. */
  readonly controlSocket: string;
  /** Speak, but leave the kernel's routes alone. */
  readonly noFib: boolean;
  /** Of the BFD process. */
  readonly bfdSocket: string;
  /** How this program was started, to start the BFD process if a peer has `bfd` and nobody answers on the socket. */
  readonly command: readonly string[];
  /** File for a trace of everything that the speaker is told and does; what it held is lost. Absent: none. */
  readonly record?: string;
  /** TCP port of the loopback address for `/metrics`; absent: on the control socket alone. */
  readonly metricsPort?: number;
  /** Called when it listens, dials and answers. */
  readonly started?: () => void;
}

/**
 * A router without agent: a speaker, the kernel's routes and a control socket, until `signal` aborts. Its routes
 * stay in the kernel then, and it parts from its peers silently, so that a restart loses no packet. On SIGHUP it takes over
 * its configuration anew.
 *
 * @throws {ListenError} {ControlSocketError} {KernelError} {TraceFileError} If it cannot start, or the kernel cannot be followed.
 */
export async function runStandaloneRouter(
  options: StandaloneRouterOptions,
  signal: AbortSignal,
): Promise<void> {
  await using kernel = openKernel();
  const ended = new AbortController();
  const watch = new InterfaceWatch(kernel, AbortSignal.any([signal, ended.signal]));
  try {
    await Promise.race([watch.ready, watch.done]);
    await runWith(kernel, watch, options, signal);
  } finally {
    ended.abort();
    await watch.done;
  }
}

/** The interfaces as they are, and whom to tell. */
class InterfaceWatch {
  /** When the interfaces are known. */
  readonly ready: Promise<void>;
  /** When the watch has ended. */
  readonly done: Promise<void>;
  interfaces: readonly InterfaceState[] = [];
  onChange: () => void = () => undefined;
  onTampering: () => void = () => undefined;

  constructor(kernel: Kernel, signal: AbortSignal) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ready = promise;
    this.done = watchKernel(
      kernel,
      {
        interfaces: (now) => {
          // With a device's last address the kernel drops routes without a word.
          if (hasLostAddress(this.interfaces, now)) this.onTampering();
          this.interfaces = now;
          resolve();
          this.onChange();
        },
        tampered: () => this.onTampering(),
      },
      signal,
    );
  }

  isUsable(device: string): boolean {
    return this.interfaces.some(({ name, usable }) => usable && name === device);
  }
}

function hasLostAddress(
  before: readonly InterfaceState[],
  now: readonly InterfaceState[],
): boolean {
  const addresses = new Map(now.map((each) => [each.name, new Set(each.addresses)]));
  return before.some((each) => {
    const kept = addresses.get(each.name);
    return each.addresses.some((address) => !kept?.has(address));
  });
}

async function runWith(
  kernel: Kernel,
  watch: InterfaceWatch,
  options: StandaloneRouterOptions,
  signal: AbortSignal,
): Promise<void> {
  const { config, log, controlSocket, noFib, started } = options;
  const fib = noFib
    ? undefined
    : new StandaloneFib(kernel, (device) => watch.isUsable(device), log);
  await fib?.resync();
  const preserved = fib?.preserved ?? [];
  using trace = options.record === undefined ? undefined : openTraceFile(options.record, log);
  const recorder = trace && new TraceRecorder((line) => trace.write(line));
  const made = { kernelRoutes: !noFib };
  const engine = recorder?.engine(config, made) ?? createRouteEngine(config, made);
  engine.setInterfaces(watch.interfaces);
  await feedAtStart(engine, options);
  // Nobody comes before the next turn of the event loop.
  let followPeers = (): void => undefined;
  await using speaker = await startSpeaker(
    {
      config,
      engine,
      ...(recorder && { recorder }),
      log,
      restarting: preserved.length > 0,
      preserved,
      onRouteBatch: async (batch) => (await fib?.apply(batch)) ?? [],
      onPeersInForce: () => followPeers(),
      probe: ({ device, address }) => {
        kernel.neighbours
          .probe(device, address)
          .catch((error: unknown) => log.debug({ err: error }, 'next hop not probed'));
      },
    },
    signal,
  );
  if (fib) fib.onArrived = (prefixes) => speaker.routesArrived(prefixes);
  using bfd = new BfdWatch({
    log,
    socket: options.bfdSocket,
    name: 'bgp run',
    command: options.command,
    changed: (path, change) => speaker.bfdChanged(path, change),
  });
  await using _control = await serveControlSocket(controlSocket, speaker);
  await using _metrics =
    options.metricsPort === undefined
      ? undefined
      : await serveMetrics(options.metricsPort, () => speaker.operator.metrics());
  followPeers = () => bfd.update(speaker.config, watch.interfaces);
  const failed = Promise.withResolvers<never>();
  const resync = (): void => void fib?.resync().catch(failed.reject);
  watch.onChange = () => {
    void fib?.linksChanged().catch(failed.reject);
    speaker.setInterfaces(watch.interfaces);
    followPeers();
  };
  watch.onChange();
  using _repair = repairing(watch, resync);
  await using _reload = reloadOnHangup({
    log,
    read: options.readConfig,
    apply: async (next) => {
      if (next.originateFrom || speaker.config.originateFrom) await refeedMrt(engine, next);
      await speaker.reconfigure(next).finally(followPeers);
    },
  });
  log.info({ peers: config.peers.length, preserved }, 'router started');
  started?.();
  try {
    await Promise.race([speaker.done, watch.done, failed.promise]);
  } finally {
    watch.onChange = () => undefined;
  }
}

/** @throws {MrtFeedError} If there is a file, and it cannot be read. */
async function feedAtStart(
  engine: RouteEngine,
  { config: { originateFrom }, log }: StandaloneRouterOptions,
): Promise<void> {
  if (!originateFrom) return;
  const outcome = await feedMrt(engine, originateFrom);
  log.info({ file: originateFrom.mrt, ...outcome }, 'routes of a file are originated');
}

/** Reads the kernel's routes back now and then, and soon after somebody has touched them, until disposed. */
function repairing(watch: InterfaceWatch, resync: () => void): Disposable {
  let repair: NodeJS.Timeout | undefined;
  watch.onTampering = () => {
    repair ??= setTimeout(() => {
      repair = undefined;
      resync();
    }, REPAIR_MS);
  };
  const slowly = setInterval(resync, RESYNC_MS);
  return {
    [Symbol.dispose]() {
      clearInterval(slowly);
      clearTimeout(repair);
      watch.onTampering = () => undefined;
    },
  };
}
