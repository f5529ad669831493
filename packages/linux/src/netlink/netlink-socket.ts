import { close, errorName, getsockname, recv, send, sendAside } from '../libc.ts';
import { type BatchOutcome, KernelError } from '../ports.ts';
import { NLM_F, NLMSG } from './constants.ts';
import { type Message, messagesOf, readAnswer } from './message-reader.ts';
import { MessageWriter } from './message-writer.ts';
import { NETLINK, netlinkAddress, openRequestSocket } from './open-socket.ts';

const MSG_TRUNC = 0x20;
const MSG_DONTWAIT = 0x40;

/** Replies to more messages than this can overflow even a forced receive buffer's accounting. */
const LARGEST_BATCH = 128;
const BATCH_OCTETS = 65_536;
/** The kernel never sends more than 32 KB at once unless one message is larger. */
const RECEIVE_OCTETS = 131_072;
const DUMP_ATTEMPTS = 10;

/** How to ask for one kind of change. `T` is an item, or its place among others. */
export interface Change<T> {
  /** Writes exactly one message, `begin` to `end`. May throw a {@link KernelError}: it becomes the item's outcome. */
  readonly encode: (writer: MessageWriter, item: T) => void;
  /** What was asked, for errors: `replace route 10.65.0.0/26`. */
  readonly describe: (item: T) => string;
  /** Codes that mean the wish is already fulfilled, such as ESRCH for a removal. */
  readonly fulfilled?: readonly string[];
}

/** Why items were refused, by their place. */
export type Refusals = ReadonlyMap<number, KernelError>;

/**
 * A synchronous netlink socket of the calling thread's network namespace (the namespace at the time of
 * opening; it stays there). Requests and answers never interleave: each call returns with its answers read.
 */
export class NetlinkSocket implements Disposable {
  readonly #fd: number;
  readonly #writer = new MessageWriter();
  readonly #buffer = new Uint8Array(RECEIVE_OCTETS);

  constructor(protocol: number = NETLINK.route) {
    this.#fd = openRequestSocket(protocol);
  }

  [Symbol.dispose](): void {
    close(this.#fd);
  }

  /** What the kernel calls this socket (nlmsg_pid): it is named in the notifications of what it changed. */
  get port(): number {
    const address = netlinkAddress();
    getsockname(this.#fd, address);
    return new DataView(address.buffer).getUint32(4, true);
  }

  /**
   * Sends one message per item, up to {@link LARGEST_BATCH} per system call, and collects their outcomes.
   *
   * @throws {KernelError} ENOBUFS or ETIMEDOUT: answers were lost, so the outcome is unknown; read back.
   */
  change<T>(items: readonly T[], { encode, describe, fulfilled }: Change<T>): BatchOutcome {
    const refused = this.changeEach(items.length, {
      encode: (writer, at) => encode(writer, items[at] as T),
      describe: (at) => describe(items[at] as T),
      ...(fulfilled && { fulfilled }),
    });
    return Array.from(items, (_, at) => refused.get(at));
  }

  /** {@link change} for a single item. @throws {KernelError} If the kernel refuses. */
  changeOne<T>(item: T, change: Change<T>): void {
    const [error] = this.change([item], change);
    if (error) throw error;
  }

  /**
   * {@link changeOne} for what takes the kernel long. The socket must not be used for anything else meanwhile.
   *
   * @throws {KernelError} If the kernel refuses.
   */
  async changeOneAside<T>(item: T, { encode, describe, fulfilled }: Change<T>): Promise<void> {
    const writer = this.#writer;
    writer.clear();
    encode(writer, item);
    writer.acknowledge();
    await sendAside(this.#fd, writer.bytes);
    this.#receiveUntil(writer.sequence, (message) => {
      if (message.type !== NLMSG.error) return false;
      const { errno, detail } = readAnswer(message);
      const code = errno === 0 ? undefined : errorName(errno);
      if (code !== undefined && !fulfilled?.includes(code)) {
        throw new KernelError(code, describe(item), detail);
      }
      return true;
    });
  }

  /**
   * {@link change} for items that are known by their place.
   *
   * @param count How many: places are 0 to `count` - 1.
   */
  changeEach(count: number, change: Change<number>): Refusals {
    const refused = new Map<number, KernelError>();
    for (let from = 0; from < count; ) from = this.#changeSome(from, count, change, refused);
    return refused;
  }

  /** @returns Place of the first item that did not fit. */
  #changeSome(
    from: number,
    count: number,
    change: Change<number>,
    refused: Map<number, KernelError>,
  ): number {
    const writer = this.#writer;
    writer.clear();
    const first = writer.sequence + 1;
    const sent: number[] = [];
    let at = from;
    for (; at < count && sent.length < LARGEST_BATCH; at++) {
      if (writer.length > BATCH_OCTETS) break;
      const before = writer.sequence;
      try {
        change.encode(writer, at);
        sent.push(at);
      } catch (error) {
        if (!(error instanceof KernelError)) throw error;
        if (writer.sequence !== before) writer.abandon();
        refused.set(at, new KernelError(error.code, change.describe(at), error.message));
      }
    }
    if (sent.length === 0) return at;
    writer.acknowledge();
    send(this.#fd, writer.bytes);
    this.#receiveUntil(
      writer.sequence,
      (message) => {
        if (message.type !== NLMSG.error) return false;
        const item = sent[message.sequence - first];
        const { errno, detail } = readAnswer(message);
        const code = errno === 0 ? undefined : errorName(errno);
        if (item !== undefined && code !== undefined && !change.fulfilled?.includes(code)) {
          refused.set(item, new KernelError(code, change.describe(item), detail));
        }
        return message.sequence === writer.sequence;
      },
      first,
    );
    return at;
  }

  /**
   * Sends messages that the kernel takes as one, and collects what it says of them: it has answered when it returns.
   *
   * @throws {KernelError} ENOBUFS: answers were lost, so the outcome is unknown; EMSGSIZE: too long.
   */
  transact(messages: Uint8Array, visit: (message: Message) => void): void {
    send(this.#fd, messages);
    let lost: KernelError | undefined;
    for (;;) {
      let size: number;
      try {
        size = recv(this.#fd, this.#buffer, MSG_TRUNC | MSG_DONTWAIT);
      } catch (error) {
        if (!(error instanceof KernelError)) throw error;
        if (error.code === 'EAGAIN') break;
        // What was not lost is read, so that nobody takes it for an answer to something else.
        if (error.code === 'ENOBUFS') lost = error;
        else if (error.code !== 'EINTR') throw error;
        continue;
      }
      for (const message of messagesOf(this.#buffer.subarray(0, size))) visit(message);
    }
    if (lost) throw lost;
  }

  /**
   * Asks for one object.
   *
   * @param visit Called with the answer; not called if the kernel refuses.
   * @returns The error code of a refusal, such as `ENODEV`.
   */
  get(
    encode: (writer: MessageWriter) => void,
    visit: (message: Message) => void,
  ): string | undefined {
    const writer = this.#writer;
    writer.clear();
    encode(writer);
    writer.acknowledge();
    send(this.#fd, writer.bytes);
    let refusal: string | undefined;
    this.#receiveUntil(writer.sequence, (message) => {
      if (message.type !== NLMSG.error) {
        visit(message);
        return false;
      }
      const { errno } = readAnswer(message);
      if (errno !== 0) refusal = errorName(errno);
      return true;
    });
    return refusal;
  }

  /**
   * Lists objects. A listing that the kernel marks as interrupted by a change is read again.
   *
   * @param encode Writes the request; {@link NLM_F.dump} is up to the caller.
   * @param read Decodes one message; `undefined` leaves it out.
   * @throws {KernelError} EINTR if the table never holds still.
   */
  dump<T>(
    operation: string,
    encode: (writer: MessageWriter) => void,
    read: (message: Message) => T | undefined,
  ): T[] {
    for (let attempt = 0; attempt < DUMP_ATTEMPTS; attempt++) {
      const found: T[] = [];
      this.beginDump(encode);
      let state: DumpState = 'more';
      while (state === 'more') state = this.continueDump(operation, read, found);
      if (state === 'done') return found;
    }
    throw new KernelError('EINTR', operation, 'kept changing while it was read');
  }

  /** First half of a listing in slices: nothing else may use the socket until it is `done`. */
  beginDump(encode: (writer: MessageWriter) => void): void {
    this.#interrupted = false;
    this.#writer.clear();
    encode(this.#writer);
    send(this.#fd, this.#writer.bytes);
  }

  #interrupted = false;

  /** Receives one datagram of a listing. */
  continueDump<T>(
    operation: string,
    read: (message: Message) => T | undefined,
    found: T[],
  ): DumpState {
    for (const message of messagesOf(this.#receive())) {
      if (message.sequence !== this.#writer.sequence) continue;
      if ((message.flags & NLM_F.dumpInterrupted) !== 0) this.#interrupted = true;
      if (message.type === NLMSG.done || message.type === NLMSG.error) {
        const { errno, detail } = readAnswer(message);
        if (errno !== 0) throw new KernelError(errorName(errno), operation, detail);
        return this.#interrupted ? 'interrupted' : 'done';
      }
      const value = read(message);
      if (value !== undefined) found.push(value);
    }
    return 'more';
  }

  /** Receives until `isLast`; answers to earlier, abandoned requests are skipped. */
  #receiveUntil(last: number, isLast: (message: Message) => boolean, first = last): void {
    for (;;) {
      for (const message of messagesOf(this.#receive())) {
        if (message.sequence < first || message.sequence > last) continue;
        if (isLast(message)) return;
      }
    }
  }

  #receive(): Uint8Array<ArrayBuffer> {
    for (;;) {
      try {
        const size = recv(this.#fd, this.#buffer, MSG_TRUNC);
        if (size > this.#buffer.length) throw new KernelError('EMSGSIZE', 'recv');
        return this.#buffer.subarray(0, size);
      } catch (error) {
        if (!(error instanceof KernelError) || error.code !== 'EINTR') throw timeoutOf(error);
      }
    }
  }
}

export type DumpState = 'more' | 'done' | 'interrupted';

/** With a receive timeout, EAGAIN is how the kernel says that it expired. */
function timeoutOf(error: unknown): unknown {
  if (!(error instanceof KernelError) || error.code !== 'EAGAIN') return error;
  return new KernelError('ETIMEDOUT', 'recv', 'the kernel did not answer');
}
