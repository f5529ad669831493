import {
  Client,
  type ClientDuplexStream,
  type ClientOptions,
  credentials,
  Metadata,
  type ServiceError,
} from '@grpc/grpc-js';
import { UnavailableError } from '../errors.ts';
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
import { type Decoded, decode, type Encodable, encode, type Message } from './protobuf.ts';

/** A method with the messages it takes and gives. */
export interface Method<Request extends Message, Response extends Message> {
  /** `/etcdserverpb.KV/Range` */
  readonly path: string;
  readonly request: Request;
  readonly response: Response;
  /** Whether asking twice is the same as asking once. */
  readonly isIdempotent: boolean;
}

const AUTHENTICATE = {
  path: '/etcdserverpb.Auth/Authenticate',
  request: AuthenticateRequest,
  response: AuthenticateResponse,
  isIdempotent: true,
} as const;

const DEFAULT_DEADLINE_MS = 5000;
/** Shortest time that a member is given before the next is asked. */
const SHORTEST_ATTEMPT_MS = 1000;

const CHANNEL_OPTIONS: ClientOptions = {
  // A black-holed connection is noticed in 9 s. etcd refuses pings more often than every 5 s.
  'grpc.keepalive_time_ms': 6000,
  'grpc.keepalive_timeout_ms': 3000,
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 2000,
  'grpc.max_receive_message_length': -1,
  'grpc.max_send_message_length': -1,
  // A new channel must be a new connection, not the old one from a pool of the process.
  'grpc.use_local_subchannel_pool': 1,
  'grpc.service_config_disable_resolution': 1,
  'grpc.enable_http_proxy': 0,
};

/**
 * Calls to an etcd cluster: one connection at a time, to the next member when one fails, with a deadline for
 * each call and a token where users have to log in.
 */
export class EtcdConnection implements Disposable {
  readonly deadlineMs: number;
  readonly #options: EtcdOptions;
  readonly #members: Members;
  #client: Client | undefined;
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
   * @throws The errors of the port; {@link UnavailableError} at the deadline.
   */
  async call<Request extends Message, Response extends Message>(
    method: Method<Request, Response>,
    request: Encodable<Request>,
  ): Promise<Decoded<Response>> {
    const deadline = performance.now() + this.deadlineMs;
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
   * Opens a stream on the current connection. Report its failure with {@link failed}.
   *
   * @throws The errors of the port, if logging in fails.
   */
  async stream<Request extends Message, Response extends Message>(
    method: Pick<Method<Request, Response>, 'path' | 'request' | 'response'>,
  ): Promise<ClientDuplexStream<Encodable<Request>, Decoded<Response>>> {
    const client = await this.#current(this.deadlineMs);
    const metadata = await this.#metadata(client, this.deadlineMs).catch((error: unknown) => {
      throw isServiceError(error) ? portErrorOf(error) : error;
    });
    // A member without a leader must say so rather than be silent.
    metadata.set('hasleader', 'true');
    const stream = client.makeBidiStreamRequest<Encodable<Request>, Decoded<Response>>(
      method.path,
      (request) => encode(method.request, request),
      (octets) => decode(method.response, octets),
      metadata,
    );
    stream.on('error', (error) => {
      if (isServiceError(error)) this.#blame(client, error);
    });
    return stream;
  }

  /** Forgets the token: the next call logs in again. */
  forgetToken(): void {
    this.#token = undefined;
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true;
    this.#client?.close();
    this.#client = undefined;
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
    const client = await this.#current(timeMs);
    try {
      const metadata = await this.#metadata(client, timeMs);
      return await unary(client, method, request, { metadata, timeMs });
    } catch (error) {
      if (isServiceError(error)) this.#blame(client, error);
      throw error;
    }
  }

  /** Moves on to the next member if the connection in use is the one that failed. */
  #blame(client: Client, error: ServiceError): void {
    if (needsNewToken(error)) this.forgetToken();
    if (!isOfMember(error) || client !== this.#client) return;
    this.#client = undefined;
    this.#members.next();
    // Calls under way on it go on; streams are cut off with the next keepalive, and opened anew.
    client.close();
  }

  async #current(timeMs: number): Promise<Client> {
    if (this.#client) return this.#client;
    const endpoint = await this.#members.current(timeMs);
    if (this.#isDisposed) throw new UnavailableError('this datastore was closed');
    this.#client ??= new Client(endpoint.target, this.#credentials(endpoint), CHANNEL_OPTIONS);
    return this.#client;
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

  async #metadata(client: Client, timeMs: number): Promise<Metadata> {
    const metadata = new Metadata();
    const { username: name, password = '' } = this.#options;
    if (name === undefined) return metadata;
    const options = { metadata: new Metadata(), timeMs };
    this.#token ??= unary(client, AUTHENTICATE, { name, password }, options).then(
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

function unary<Request extends Message, Response extends Message>(
  client: Client,
  method: Method<Request, Response>,
  request: Encodable<Request>,
  { metadata, timeMs }: { readonly metadata: Metadata; readonly timeMs: number },
): Promise<Decoded<Response>> {
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest<Encodable<Request>, Decoded<Response>>(
      method.path,
      (value) => encode(method.request, value),
      (octets) => decode(method.response, octets),
      request,
      metadata,
      { deadline: Date.now() + Math.max(1, timeMs) },
      (error, response) => {
        if (error) reject(error);
        else if (response) resolve(response);
        else reject(new UnavailableError(`etcd: ${method.path} gave no answer`));
      },
    );
  });
}
