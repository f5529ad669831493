import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Logger } from 'pino';
import type { BfdPeer, BfdReport, BfdSummary } from './bfd-peer.ts';
import { readLines } from './line-reader.ts';
import { type BfdAnswer, type BfdRequest, BfdSocketError } from './messages.ts';

const RETRY_MS = 500;
const ANSWER_TIMEOUT_MS = 5000;

interface BfdClientOptions {
  readonly log: Logger;
  readonly socket: string;
  /** Name that the process knows us by, the same after a restart. */
  readonly name: string;
  readonly onReport: (report: BfdReport) => void;
  /** Called whenever nobody answers on the socket: may start the process. */
  readonly start?: () => void;
}

/**
 * Declares sessions to the BFD process of this host and hears what becomes of them. The connection is made anew when
 * it is lost; what was reported before goes on holding meanwhile, because nothing is known to have changed.
 */
export class BfdClient implements Disposable {
  readonly #options: BfdClientOptions;
  #peers: readonly BfdPeer[] = [];
  #socket: Socket | undefined;
  #retry: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: BfdClientOptions) {
    this.#options = options;
  }

  /** All sessions that are wanted from now on. */
  declare(peers: readonly BfdPeer[]): void {
    const isFirst = this.#peers.length === 0 && peers.length > 0;
    this.#peers = peers;
    if (this.#socket && !this.#socket.connecting) this.#say();
    else if (isFirst && !this.#socket && !this.#retry) this.#connect();
  }

  /** Leaves without a word: the sessions go on for a while. */
  [Symbol.dispose](): void {
    this.#closed = true;
    clearTimeout(this.#retry);
    this.#socket?.destroy();
  }

  #connect(): void {
    this.#retry = undefined;
    const { socket: path, log, onReport, start } = this.#options;
    const socket = connect({ path });
    this.#socket = socket;
    socket.on('connect', () => this.#say());
    socket.on('error', ({ code = '' }: NodeJS.ErrnoException) => {
      if (code === 'ENOENT' || code === 'ECONNREFUSED') start?.();
      else log.warn({ code, path }, 'the BFD process does not answer');
    });
    socket.on('close', () => {
      this.#socket = undefined;
      if (!this.#closed) this.#retry = setTimeout(() => this.#connect(), RETRY_MS);
    });
    readLines(socket, (line) => {
      const answer = JSON.parse(line) as BfdAnswer;
      if (answer.type === 'reports') for (const report of answer.reports) onReport(report);
      else if (answer.type === 'error') log.error({ reason: answer.message }, 'BFD refuses');
    });
  }

  #say(): void {
    const { name: client } = this.#options;
    write(this.#socket, { type: 'declare', client, sessions: this.#peers });
  }
}

function write(socket: Socket | undefined, request: BfdRequest): void {
  socket?.write(`${JSON.stringify(request)}\n`);
}

/**
 * Asks for what `overland bfd status` shows.
 *
 * @throws {BfdSocketError} Saying why there is no answer.
 */
export async function askForBfdStatus(path: string): Promise<BfdSummary> {
  const socket = connect({ path, timeout: ANSWER_TIMEOUT_MS });
  socket.on('timeout', () => socket.destroy(new Error('no answer')));
  const answered = Promise.withResolvers<BfdSummary>();
  readLines(socket, (line) => {
    const answer = JSON.parse(line) as BfdAnswer;
    if (answer.type === 'status') answered.resolve(answer.summary);
  });
  socket.on('close', () => answered.reject(new BfdSocketError(`no answer on ${path}`)));
  try {
    await once(socket, 'connect');
    write(socket, { type: 'status' });
    return await answered.promise;
  } catch (error) {
    answered.promise.catch(() => undefined);
    throw explained(path, error);
  } finally {
    socket.destroy();
  }
}

function explained(path: string, error: unknown): BfdSocketError {
  if (error instanceof BfdSocketError) return error;
  const { code = String(error) } = error as NodeJS.ErrnoException;
  const reason =
    code === 'ENOENT' || code === 'ECONNREFUSED'
      ? `no BFD process answers on ${path}; is one running on this host?`
      : `the BFD process on ${path} does not answer: ${code}`;
  return new BfdSocketError(reason, { cause: error });
}
