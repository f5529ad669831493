import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { KernelError, runFirst, type UdpSocketOptions } from '@overland/linux';
import type { Logger } from 'pino';
import { ownSocket } from '../own-socket.ts';
import { BfdEngine } from './bfd-engine.ts';
import type { BfdPeer, BfdReport } from './bfd-peer.ts';
import { DesiredSessions } from './desired-sessions.ts';
import { readLines } from './line-reader.ts';
import { type BfdAnswer, BfdSocketError } from './messages.ts';
import { parseRequest } from './parse-request.ts';

export interface BfdProcessOptions {
  readonly log: Logger;
  /** Path of the unix socket. */
  readonly socket: string;
  /** How long the sessions of a client that vanished are kept, seconds. */
  readonly keepSeconds: number;
  /** Sessions that nobody needs to declare. */
  readonly sessions: readonly BfdPeer[];
  /** End once there is neither client nor session: for a process that was started on demand. */
  readonly endsWhenUnused: boolean;
  readonly openSocket?: (options: UdpSocketOptions) => number;
  /** Called when it answers. */
  readonly started?: () => void;
}

/** A connection, and who is at its other end once it has said so. */
interface Connection {
  readonly socket: Socket;
  client?: string;
}

/**
 * BFD for a host: keeps the sessions that its clients declare on a unix socket of mode 0600, until `signal` aborts;
 * then the peers are told that it is on purpose.
 *
 * @throws {BfdSocketError} If another process answers on the socket.
 * @throws {KernelError} If a port of BFD cannot be had for the sessions given.
 */
export async function runBfdProcess(
  options: BfdProcessOptions,
  signal: AbortSignal,
): Promise<void> {
  const running = new BfdProcess(options);
  await running.run(signal);
}

const FILE_CLIENT = 'file';

class BfdProcess {
  readonly #options: BfdProcessOptions;
  readonly #engine: BfdEngine;
  readonly #desired = new DesiredSessions();
  readonly #connections = new Set<Connection>();
  readonly #ended = new AbortController();
  /** Before that nobody can have ceased to need us: whoever asks for the status first may be faster than who started us. */
  #hasServed = false;
  #forgetting: NodeJS.Timeout | undefined;

  constructor(options: BfdProcessOptions) {
    this.#options = options;
    const { log, openSocket } = options;
    this.#engine = new BfdEngine({
      log,
      scheduling: runFirst(),
      onReport: (report) => this.#tell(report),
      ...(openSocket ? { openSocket } : {}),
    });
  }

  async run(signal: AbortSignal): Promise<void> {
    const { log, socket, sessions, started } = this.#options;
    const server = createServer((accepted) => this.#accept(accepted));
    await ownSocket(server, socket, (reason) => new BfdSocketError(reason));
    try {
      this.#desired.declare(FILE_CLIENT, sessions);
      this.#engine.configure(this.#desired.peers);
      const { scheduling } = this.#engine.summary();
      log.info({ socket, scheduling, sessions: sessions.length }, 'BFD started');
      started?.();
      await aborted(AbortSignal.any([signal, this.#ended.signal]));
    } finally {
      clearTimeout(this.#forgetting);
      await close(server, this.#connections);
      await this.#engine[Symbol.asyncDispose]();
    }
  }

  #accept(socket: Socket): void {
    const connection: Connection = { socket };
    this.#connections.add(connection);
    socket.on('error', () => undefined);
    socket.on('close', () => this.#left(connection));
    readLines(socket, (line) => this.#answer(connection, line));
  }

  #answer(connection: Connection, line: string): void {
    const request = parseRequest(line);
    if (typeof request === 'string') say(connection, { type: 'error', message: request });
    else if (request.type === 'status') {
      say(connection, { type: 'status', summary: this.#engine.summary() });
    } else this.#declare(connection, request.client, request.sessions);
  }

  #declare(connection: Connection, client: string, sessions: readonly BfdPeer[]): void {
    for (const other of this.#connections) {
      if (other !== connection && other.client === client) other.socket.destroy();
    }
    connection.client = client;
    this.#hasServed = true;
    this.#desired.declare(client, sessions);
    try {
      this.#engine.configure(this.#desired.peers);
    } catch (error) {
      if (!(error instanceof KernelError)) throw error;
      this.#options.log.error({ err: error }, 'BFD sessions cannot be made');
      say(connection, { type: 'error', message: error.message });
      return;
    }
    const keys = this.#desired.keysOf(client);
    const reports = this.#engine.reports().filter(({ key }) => keys.has(key));
    say(connection, { type: 'reports', reports });
  }

  #left(connection: Connection): void {
    this.#connections.delete(connection);
    const { client } = connection;
    const isReplaced = [...this.#connections].some((other) => other.client === client);
    if (client !== undefined && !isReplaced) {
      const until = performance.now() + this.#options.keepSeconds * 1000;
      this.#desired.left(client, until);
      this.#forget();
    } else this.#endIfUnused();
  }

  /** Gives up what belongs to clients that did not come back. */
  #forget(): void {
    clearTimeout(this.#forgetting);
    const next = this.#desired.expire(performance.now());
    this.#engine.configure(this.#desired.peers);
    if (next !== undefined) {
      this.#forgetting = setTimeout(() => this.#forget(), Math.ceil(next - performance.now()));
    }
    this.#endIfUnused();
  }

  #endIfUnused(): void {
    const isUnused = this.#desired.peers.length === 0 && this.#connections.size === 0;
    if (isUnused && this.#hasServed && this.#options.endsWhenUnused) this.#ended.abort();
  }

  #tell(report: BfdReport): void {
    for (const connection of this.#connections) {
      if (connection.client === undefined) continue;
      if (this.#desired.keysOf(connection.client).has(report.key)) {
        say(connection, { type: 'reports', reports: [report] });
      }
    }
  }
}

function say({ socket }: Connection, answer: BfdAnswer): void {
  socket.write(`${JSON.stringify(answer)}\n`);
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
}

async function close(server: Server, connections: Iterable<Connection>): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  for (const { socket } of connections) socket.destroy();
  await closed;
}
