import { once } from 'node:events';
import { type Transferable, Worker } from 'node:worker_threads';
import { type ChannelOptions, type Methods, openChannel, type Remote } from './thread-rpc.ts';

/** A thread has ended by itself: the process must end too. Its state is gone; a restart rebuilds it. */
class ThreadExitError extends Error {
  override readonly name = 'ThreadExitError';
}

/** A running worker thread, and what it offers. Disposing it stops it. */
export interface Thread<M extends Methods> extends AsyncDisposable {
  readonly remote: Remote<M>;
}

/** What every thread offers besides its own methods. */
type ThreadMethods = {
  /** Resolves once the thread has started. */
  ready: () => Promise<void>;
  /** Ends its work in good order. */
  stop: () => Promise<void>;
};

export interface ThreadOptions extends ChannelOptions {
  readonly name: string;
  /** The module, as {@link threadModule} finds it. */
  readonly module: URL;
  readonly data: unknown;
  /** Ports inside `data`. */
  readonly ports: readonly Transferable[];
  /** What the thread may call. */
  readonly local: Methods;
  /** Most heap before the thread is ended, in MiB. A leak costs a hitless restart, not the host. */
  readonly heapMebibytes: number;
  /** Called once if the thread ends by itself. */
  readonly onExit: (error: ThreadExitError) => void;
}

/** Young generations stay small: a thread that allocates little would otherwise grow to 16 MiB and keep it. */
const YOUNG_GENERATION_MEBIBYTES = 1;

const STOP_DEADLINE_MS = 5000;

/** Starts a thread and waits until it is ready. */
export async function startThread<M extends Methods>(options: ThreadOptions): Promise<Thread<M>> {
  const worker = new Worker(options.module, {
    name: options.name,
    workerData: options.data,
    transferList: options.ports as Transferable[],
    ...execArguments(options.module),
    // Descriptors of netlink and namespaces are opened outside Node's view; it would warn at each that it closes.
    trackUnmanagedFds: false,
    resourceLimits: {
      maxOldGenerationSizeMb: options.heapMebibytes,
      maxYoungGenerationSizeMb: YOUNG_GENERATION_MEBIBYTES,
    },
  });
  let stopping = false;
  let cause: unknown;
  worker.on('error', (error) => {
    cause = error;
  });
  // Waited for from the start: a thread that has ended tells nobody who asks later.
  const exited = Promise.withResolvers<void>();
  worker.on('exit', (code) => {
    exited.resolve();
    if (stopping) return;
    options.onExit(new ThreadExitError(`thread ${options.name} ended (${code})`, { cause }));
  });
  const remote = openChannel<ThreadMethods>(worker, options.local, options);
  try {
    await remote.ready();
  } catch (error) {
    stopping = true;
    await worker.terminate();
    throw cause === undefined
      ? error
      : new ThreadExitError(`thread ${options.name} did not start`, { cause });
  }
  return {
    remote: remote as unknown as Remote<M>,
    async [Symbol.asyncDispose]() {
      stopping = true;
      const deadline = AbortSignal.timeout(STOP_DEADLINE_MS);
      await Promise.race([remote.stop().catch(() => {}), once(deadline, 'abort')]);
      await worker.terminate();
      await exited.promise;
    },
  };
}

/**
 * The module beside the caller's, in the form in which the caller runs.
 *
 * @param base `import.meta.url`.
 * @param name Without extension: `./store-worker`.
 */
export function threadModule(base: string, name: string): URL {
  return new URL(`${name}${base.endsWith('.ts') ? '.ts' : '.js'}`, base);
}

/** Sources need the condition under which workspace packages resolve to sources; otherwise a thread inherits. */
function execArguments(module: URL): { readonly execArgv?: string[] } {
  return module.pathname.endsWith('.ts') ? { execArgv: ['--conditions=@overland/source'] } : {};
}
