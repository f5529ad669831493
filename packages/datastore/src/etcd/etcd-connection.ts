import { type ClientDuplexStream, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import { UnavailableError } from '../errors.ts';
import { Channel, type Method, type StreamMethod } from './channel.ts';
import {
  isOfMember,
  isServiceError,
  needsNewToken,
  portErrorOf,
  wasNotSent,
} from './etcd-error.ts';
import {
  checkEtcdOptions,
  type Endpoint,
  type EtcdOptions,
  readTlsMaterial,
} from './etcd-options.ts';
import { Members } from './members.ts';
import { AuthenticateRequest, AuthenticateResponse } from './messages.ts';
import type { Decoded, Encodable, Message } from './protobuf.ts';

const AUTHENTICATE = {
  path: '/etcdserverpb.Auth/Authenticate',
  request: AuthenticateRequest,
  response: AuthenticateResponse,
  isIdempotent: true,
} as const;

const DEFAULT_DEADLINE_MS = 5000;
/** Shortest time that a member is given before the next is asked. */
const SHORTEST_ATTEMPT_MS = 1000;

/**
 * Calls to an etcd cluster: one connection at a time, to the next member when one fails, with a deadline for
 * each call and a token where users have to log in.
 */
export class EtcdConnection implements Disposable {
  readonly deadlineMs: number;
  readonly #options: EtcdOptions;
  readonly #members: Members;
  #channel: Channel | undefined;
  #token: Promise<string> | undefined;
  #isDisposed = false;

  /** @throws {RangeError} If the options make no sense. */
  constructor(options: EtcdOptions) {
    checkEtcdOptions(options);
    this.#options = options;
    this.#members = new Members(options);
    this.deadlineMs = options.deadlineMs ?? DEFAULT_DEADLINE_MS;
  }

  /**
   * Calls a method. What is safe to repeat is repeated, on the next member, until the deadline.
   *
   * @param withinMs Earlier than the deadline of a call, if part of its time has gone by.
   * @throws The errors of the port; {@link UnavailableError} at the deadline.
   */
  async call<Request extends Message, Response extends Message>(
    method: Method<Request, Response>,
    request: Encodable<Request>,
    withinMs = this.deadlineMs,
  ): Promise<Decoded<Response>> {
    const deadline = performance.now() + withinMs;
    for (let pause = 20; ; pause = Math.min(2 * pause, 500)) {
      const left = deadline - performance.now();
      try {
        return await this.#attempt(method, request, this.#attemptTime(method, left));
      } catch (error) {
        if (!isServiceError(error)) throw error;
        const isRepeatable = method.isIdempotent ? isOfMember(error) : wasNotSent(error);
        const isLate = performance.now() + pause >= deadline;
        if (!needsNewToken(error) && (!isRepeatable || isLate)) throw portErrorOf(error);
        if (isLate || this.#isDisposed) throw portErrorOf(error);
      }
      await new Promise((resolve) => setTimeout(resolve, pause * (0.5 + Math.random())));
    }
  }

  /**
   * Opens a stream on the current connection.
   *
   * @throws The errors of the port, if logging in fails.
   */
  async stream<Request extends Message, Response extends Message>(
    method: StreamMethod<Request, Response>,
  ): Promise<ClientDuplexStream<Encodable<Request>, Decoded<Response>>> {
    const channel = await this.#current(this.deadlineMs);
    const metadata = await this.#metadata(channel, this.deadlineMs).catch((error: unknown) => {
      throw isServiceError(error) ? portErrorOf(error) : error;
    });
    // A member without a leader must say so rather than be silent.
    metadata.set('hasleader', 'true');
    const stream = channel.stream(method, metadata);
    stream.on('error', (error) => {
      if (isServiceError(error)) this.#blame(channel, error);
    });
    return stream;
  }

  /** Forgets the token: the next call logs in again. */
  forgetToken(): void {
    this.#token = undefined;
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true;
    this.#channel?.close();
    this.#channel = undefined;
  }

  /** A member that hangs must leave time for another one, if the call may be repeated. */
  #attemptTime({ isIdempotent }: { readonly isIdempotent: boolean }, left: number): number {
    const { count } = this.#members;
    return isIdempotent ? Math.min(left, Math.max(SHORTEST_ATTEMPT_MS, left / count)) : left;
  }

  async #attempt<Request extends Message, Response extends Message>(
    method: Method<Request, Response>,
    request: Encodable<Request>,
    timeMs: number,
  ): Promise<Decoded<Response>> {
    const channel = await this.#current(timeMs);
    try {
      const metadata = await this.#metadata(channel, timeMs);
      return await channel.unary(method, request, { metadata, timeMs });
    } catch (error) {
      if (isServiceError(error)) this.#blame(channel, error);
      throw error;
    }
  }

  #blame(channel: Channel, error: ServiceError): void {
    if (needsNewToken(error)) this.forgetToken();
    if (isOfMember(error)) this.#leave(channel);
  }

  /** Moves on to the next member if the connection in use is the one that failed. */
  #leave(channel: Channel): void {
    if (channel !== this.#channel) return;
    this.#channel = undefined;
    this.#members.next();
    // One call that was late says little: streams stay where they are as long as there are signs of life.
    channel.retire();
  }

  async #current(timeMs: number): Promise<Channel> {
    if (this.#channel) return this.#channel;
    const endpoint = await this.#members.current(timeMs);
    if (this.#isDisposed) throw new UnavailableError('this datastore was closed');
    if (this.#channel) return this.#channel;
    const channel: Channel = new Channel(endpoint.target, this.#credentials(endpoint), () =>
      this.#leave(channel),
    );
    this.#channel = channel;
    return channel;
  }

  #credentials({ isTls }: Endpoint) {
    if (!isTls) return credentials.createInsecure();
    try {
      const { ca, key, cert } = readTlsMaterial(this.#options);
      return credentials.createSsl(ca, key, cert);
    } catch (cause) {
      throw new UnavailableError('the TLS files for etcd cannot be read', { cause });
    }
  }

  async #metadata(channel: Channel, timeMs: number): Promise<Metadata> {
    const metadata = new Metadata();
    const { username: name, password = '' } = this.#options;
    if (name === undefined) return metadata;
    const options = { metadata: new Metadata(), timeMs };
    this.#token ??= channel.unary(AUTHENTICATE, { name, password }, options).then(
      ({ token }) => token,
      (error: unknown) => {
        this.#token = undefined;
        throw error;
      },
    );
    metadata.set('token', await this.#token);
    return metadata;
  }
}
