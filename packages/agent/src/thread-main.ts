import { parentPort } from 'node:worker_threads';
import { type ChannelOptions, type Methods, openChannel, type Remote } from './thread-rpc.ts';

/** What a thread gives when it has started. */
export interface ThreadBody {
  /** What main may call. */
  readonly methods: Methods;
  /** Ends the thread's work in good order. */
  readonly stop: () => Promise<void>;
}

/**
 * The frame of a worker module: answers main from the first moment, starts, and says when it is ready. What
 * `start` throws ends the thread, and with it the process.
 *
 * @param start Receives what main offers.
 */
export function runThread<M extends Methods>(
  start: (main: Remote<M>) => Promise<ThreadBody>,
  options: ChannelOptions = {},
): void {
  if (!parentPort) throw new Error('this module is for a worker thread');
  const methods: Record<string, Methods[string]> = {};
  const main = openChannel<M>(parentPort, methods, options);
  const body = start(main);
  methods.ready = async () => {
    Object.assign(methods, (await body).methods);
  };
  methods.stop = async () => (await body).stop();
}
