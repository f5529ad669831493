import type { Transferable } from 'node:worker_threads';
import { decodeError, type EncodedError, type ErrorClasses, encodeError } from './thread-error.ts';

/** What one side of a channel offers: plain functions, synchronous or not. Arguments and results are cloned. */
export type Methods = { readonly [name: string]: (...args: never[]) => unknown };

/** The same functions seen from the other side. */
export type Remote<M extends Methods> = {
  readonly [K in keyof M]: (...args: Parameters<M[K]>) => Promise<Awaited<ReturnType<M[K]>>>;
};

/** The part of MessagePort and Worker that is needed here. */
export interface ThreadPort {
  postMessage(value: unknown, transfer?: readonly Transferable[]): void;
  on(event: 'message', listener: (value: unknown) => void): unknown;
  on(event: 'close' | 'exit', listener: () => void): unknown;
}

export interface ChannelOptions {
  /** Classes that errors keep when they cross; the others arrive as Error with their name. */
  readonly errors?: ErrorClasses;
  /** Buffers of an outgoing call to move instead of to copy. */
  readonly transfer?: (method: string, args: readonly unknown[]) => readonly Transferable[];
}

/** The other thread has gone; whether the call took effect is unknown. */
export class ThreadGoneError extends Error {
  override readonly name = 'ThreadGoneError';
}

type Message =
  | { readonly type: 'call'; readonly id: number; readonly method: string; readonly args: never[] }
  | { readonly type: 'result'; readonly id: number; readonly value: unknown }
  | { readonly type: 'error'; readonly id: number; readonly error: EncodedError };

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Requests and replies between two threads, in both directions over one port. Calls are delivered in order;
 * replies come when they are ready.
 *
 * @param local What the other side may call.
 * @returns What the other side offers.
 */
export function openChannel<M extends Methods>(
  port: ThreadPort,
  local: Methods,
  options: ChannelOptions = {},
): Remote<M> {
  const waiting = new Map<number, Waiting>();
  let lastId = 0;
  let gone = false;

  const call = (method: string, args: unknown[]): Promise<unknown> => {
    if (gone) return Promise.reject(new ThreadGoneError(`${method}: the thread has gone`));
    const id = ++lastId;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    waiting.set(id, { resolve, reject });
    port.postMessage({ type: 'call', id, method, args }, options.transfer?.(method, args) ?? []);
    return promise;
  };

  const answer = async ({ id, method, args }: Message & { type: 'call' }): Promise<void> => {
    try {
      const run = Object.hasOwn(local, method) ? local[method] : undefined;
      if (!run) throw new TypeError(`the thread has no method ${method}`);
      port.postMessage({ type: 'result', id, value: await run(...args) });
    } catch (error) {
      port.postMessage({ type: 'error', id, error: encodeError(error) });
    }
  };

  const settle = (message: Exclude<Message, { type: 'call' }>): void => {
    const waiter = waiting.get(message.id);
    waiting.delete(message.id);
    if (message.type === 'result') waiter?.resolve(message.value);
    else waiter?.reject(decodeError(message.error, options.errors ?? []));
  };

  const end = (): void => {
    gone = true;
    for (const { reject } of waiting.values()) reject(new ThreadGoneError('the thread has gone'));
    waiting.clear();
  };

  port.on('message', (value) => {
    const message = value as Message;
    if (message.type === 'call') void answer(message);
    else settle(message);
  });
  port.on('close', end);
  port.on('exit', end);
  return remoteProxy<M>(call);
}

function remoteProxy<M extends Methods>(
  call: (method: string, args: unknown[]) => Promise<unknown>,
): Remote<M> {
  return new Proxy({} as Remote<M>, {
    get: (_target, method) =>
      // A promise that resolves to the proxy must not take it for a thenable.
      typeof method === 'string' && method !== 'then'
        ? (...args: unknown[]) => call(method, args)
        : undefined,
  });
}
