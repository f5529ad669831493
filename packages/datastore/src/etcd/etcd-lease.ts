import type { ClientDuplexStream } from '@grpc/grpc-js';
import type { Lease, LeaseId } from '../datastore.ts';
import { LeaseError } from '../errors.ts';
import type { EtcdConnection } from './etcd-connection.ts';
import type { LeaseKeepAliveRequest, LeaseKeepAliveResponse } from './messages.ts';
import { LEASE_GRANT, LEASE_KEEP_ALIVE, LEASE_REVOKE } from './methods.ts';
import type { Decoded, Encodable } from './protobuf.ts';

/** How soon a stream that broke is opened again. */
const RETRY_MS = 300;

type KeepAlive = ClientDuplexStream<
  Encodable<typeof LeaseKeepAliveRequest>,
  Decoded<typeof LeaseKeepAliveResponse>
>;

/** A lease in etcd, kept alive on a stream of its own. */
export class EtcdLease implements Lease {
  readonly id: LeaseId;
  readonly #connection: EtcdConnection;
  readonly #lost = new AbortController();
  readonly #ttlMs: number;
  #stream: KeepAlive | undefined;
  /** When requests were sent that are not answered yet: an answer confirms from then on. */
  #sent: number[] = [];
  #confirmed: number;
  #timer: NodeJS.Timeout | undefined;

  private constructor(connection: EtcdConnection, id: LeaseId, ttlMs: number, granted: number) {
    this.#connection = connection;
    this.id = id;
    this.#ttlMs = ttlMs;
    this.#confirmed = granted;
    this.#next(ttlMs / 3);
  }

  /** @param ttlSeconds At least 1; etcd may grant more. */
  static async grant(connection: EtcdConnection, ttlSeconds: number): Promise<EtcdLease> {
    const asked = performance.now();
    const { ID, TTL } = await connection.call(LEASE_GRANT, { TTL: String(Math.ceil(ttlSeconds)) });
    return new EtcdLease(connection, ID as LeaseId, Number(TTL) * 1000, asked);
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  async revoke(): Promise<void> {
    try {
      await this.#connection.call(LEASE_REVOKE, { ID: this.id });
    } catch (error) {
      // It has ended already, or an earlier attempt was carried out unnoticed.
      if (!(error instanceof LeaseError)) throw error;
    }
    this.abandon();
  }

  /** Keeps it alive no longer. */
  abandon(): void {
    clearTimeout(this.#timer);
    this.#stream?.cancel();
    this.#stream = undefined;
    this.#lost.abort();
  }

  #next(inMs: number): void {
    clearTimeout(this.#timer);
    if (this.#lost.signal.aborted) return;
    const left = this.#confirmed + this.#ttlMs - performance.now();
    if (left <= 0) this.abandon();
    else this.#timer = setTimeout(() => void this.#keep(), Math.min(inMs, left));
  }

  async #keep(): Promise<void> {
    this.#next(this.#ttlMs / 3);
    if (this.#lost.signal.aborted) return;
    try {
      this.#stream ??= await this.#open();
      this.#sent.push(performance.now());
      this.#stream.write({ ID: this.id });
    } catch {
      this.#next(RETRY_MS);
    }
  }

  async #open(): Promise<KeepAlive> {
    const stream = await this.#connection.stream(LEASE_KEEP_ALIVE);
    this.#sent = [];
    stream.on('data', ({ TTL }: Decoded<typeof LeaseKeepAliveResponse>) => {
      const sent = this.#sent.shift();
      if (TTL === '0') this.abandon();
      else if (sent !== undefined) this.#confirmed = sent;
    });
    const closed = (): void => {
      if (this.#stream !== stream) return;
      this.#stream = undefined;
      this.#next(RETRY_MS);
    };
    stream.on('error', closed);
    stream.on('end', closed);
    return stream;
  }
}
