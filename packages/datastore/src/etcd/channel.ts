import {
  type ChannelCredentials,
  Client,
  type ClientDuplexStream,
  type ClientOptions,
  Metadata,
} from '@grpc/grpc-js';
import { UnavailableError } from '../errors.ts';
import { isOfMember, isServiceError } from './etcd-error.ts';
import { HealthCheckRequest, HealthCheckResponse } from './messages.ts';
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

/** A method whose requests and responses come one after the other. */
export type StreamMethod<Request extends Message, Response extends Message> = Pick<
  Method<Request, Response>,
  'path' | 'request' | 'response'
>;

const HEALTH_CHECK = {
  path: '/grpc.health.v1.Health/Check',
  request: HealthCheckRequest,
  response: HealthCheckResponse,
  isIdempotent: true,
} as const;

/** When a sign of life is asked for, and how long it may take, milliseconds. */
interface Beat {
  readonly silenceMs: number;
  readonly deadlineMs: number;
}

/** Together the longest that a dead connection goes unnoticed: 8 s. */
const BEAT: Beat = { silenceMs: 4500, deadlineMs: 3500 };
const SPREAD = 0.2;

const CHANNEL_OPTIONS: ClientOptions = {
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
 * A connection to one member. While streams are open on it, it asks for a sign of life every few seconds: a stream on a
 * connection whose packets are dropped is only silent. It asks with a call, to which any answer will do, and not with
 * HTTP/2 pings: etcd's own proxy hangs up on whoever sends more than one of those in five minutes (decision 0083).
 */
export class Channel {
  readonly #client: Client;
  readonly #onDead: () => void;
  readonly #beatTimes: Beat;
  readonly #streams = new Set<{ cancel(): void }>();
  #timer: NodeJS.Timeout | undefined;
  /** When anything was received last. */
  #heardAt = performance.now();
  #isRetired = false;

  /** @param onDead Called when no sign of life came, before the streams are cut off. */
  constructor(
    target: string,
    credentials: ChannelCredentials,
    onDead: () => void,
    beat: Beat = BEAT,
  ) {
    this.#beatTimes = beat;
    this.#client = new Client(target, credentials, CHANNEL_OPTIONS);
    this.#onDead = onDead;
  }

  /** Rejects with gRPC's errors. */
  unary<Request extends Message, Response extends Message>(
    method: Method<Request, Response>,
    request: Encodable<Request>,
    { metadata, timeMs }: { readonly metadata: Metadata; readonly timeMs: number },
  ): Promise<Decoded<Response>> {
    return new Promise((resolve, reject) => {
      this.#client.makeUnaryRequest<Encodable<Request>, Decoded<Response>>(
        method.path,
        (value) => encode(method.request, value),
        (octets) => this.#decoded(method.response, octets),
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

  stream<Request extends Message, Response extends Message>(
    method: StreamMethod<Request, Response>,
    metadata: Metadata,
  ): ClientDuplexStream<Encodable<Request>, Decoded<Response>> {
    const stream = this.#client.makeBidiStreamRequest<Encodable<Request>, Decoded<Response>>(
      method.path,
      (request) => encode(method.request, request),
      (octets) => this.#decoded(method.response, octets),
      metadata,
    );
    this.#streams.add(stream);
    stream.on('status', () => this.#ended(stream));
    if (this.#timer === undefined) this.#beatLater();
    return stream;
  }

  /** Closes it once its streams have ended. Calls under way go on. */
  retire(): void {
    this.#isRetired = true;
    if (this.#streams.size === 0) this.close();
  }

  /** Closes it at once. */
  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const stream of this.#streams) stream.cancel();
    this.#streams.clear();
    this.#client.close();
  }

  #ended(stream: { cancel(): void }): void {
    this.#streams.delete(stream);
    if (this.#streams.size > 0) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#isRetired) this.#client.close();
  }

  #decoded<M extends Message>(type: M, octets: Buffer): Decoded<M> {
    this.#heardAt = performance.now();
    return decode(type, octets);
  }

  /** When nothing will have been heard for a while; not all clients of a server in the same instant. */
  #beatLater(): void {
    const silentMs = performance.now() - this.#heardAt;
    const { silenceMs } = this.#beatTimes;
    const inMs = Math.max(0, silenceMs * (1 - SPREAD * Math.random()) - silentMs);
    this.#timer = setTimeout(() => void this.#beat(), inMs);
  }

  async #beat(): Promise<void> {
    const timer = this.#timer;
    const asked = performance.now();
    const isSilent = asked - this.#heardAt >= this.#beatTimes.silenceMs * (1 - SPREAD);
    // What is heard in place of the answer counts as well: a server under load is not dead.
    const isAlive = !isSilent || (await this.#answers()) || this.#heardAt > asked;
    if (timer !== this.#timer) return; // its streams have ended meanwhile
    if (isAlive) {
      this.#beatLater();
      return;
    }
    this.#onDead();
    this.close();
  }

  async #answers(): Promise<boolean> {
    const options = { metadata: new Metadata(), timeMs: this.#beatTimes.deadlineMs };
    try {
      await this.unary(HEALTH_CHECK, {}, options);
      return true;
    } catch (error) {
      // A refusal is a sign of life as well.
      return isServiceError(error) && !isOfMember(error);
    }
  }
}
