import { closeSync } from 'node:fs';
import { openNamespace, runInNamespace } from '../namespaces.ts';
import type { DeviceNames, DeviceNumbers } from '../netlink/devices.ts';
import { readLink, writeLinkGet } from '../netlink/link-codec.ts';
import type { Message } from '../netlink/message-reader.ts';
import { NetlinkSocket } from '../netlink/netlink-socket.ts';
import { KernelError, type Link } from '../ports.ts';

/** What the netlink adapters of one network namespace share. */
export class NetlinkContext implements Disposable {
  /** For requests that are answered at once. */
  readonly requests: NetlinkSocket;
  /** Apart from `requests`: names are looked up while a batch is written or a dump is read. */
  readonly #lookups: NetlinkSocket;
  readonly #namespace: number | undefined;
  readonly #resources: DisposableStack;

  /** @param namespace Path; absent: the namespace of the calling thread. */
  constructor(namespace: string | undefined) {
    this.#namespace = namespace === undefined ? undefined : openNamespace(namespace);
    using opened = new DisposableStack();
    opened.defer(() => {
      if (this.#namespace !== undefined) closeSync(this.#namespace);
    });
    this.requests = opened.use(this.inside(() => new NetlinkSocket()));
    this.#lookups = opened.use(this.inside(() => new NetlinkSocket()));
    this.#resources = opened.move();
  }

  [Symbol.dispose](): void {
    this.#resources[Symbol.dispose]();
  }

  /** Has something done when the context is closed, before its own sockets are. */
  defer(onClose: () => void): void {
    this.#resources.defer(onClose);
  }

  /** Runs synchronous work in the namespace: opening sockets, reading and writing /proc/sys. */
  inside<T>(work: () => T): T {
    return this.#namespace === undefined ? work() : enter(this.#namespace, work);
  }

  /**
   * The link of that name or index.
   *
   * @param read What to read of it; all of the {@link Link} by default.
   */
  findLink(key: string | number): Link | undefined;
  findLink<T>(key: string | number, read: (message: Message) => T): T | undefined;
  findLink(key: string | number, read: (message: Message) => unknown = readLink): unknown {
    let found: unknown;
    const refusal = this.#lookups.get(
      (writer) => writeLinkGet(writer, key),
      (message) => {
        found = read(message);
      },
    );
    if (refusal === undefined || refusal === 'ENODEV') return found;
    throw new KernelError(refusal, `get link ${key}`);
  }

  /** @throws {KernelError} ENODEV. */
  linkNumber(name: string, operation: string): number {
    const link = this.findLink(name);
    if (link === undefined) throw new KernelError('ENODEV', operation);
    return link.index;
  }

  /**
   * Names and numbers of interfaces, each asked for once. For one batch or dump only: interfaces are renamed
   * and recreated behind our back.
   */
  devices(): DeviceNames & DeviceNumbers {
    const names = new Map<number, string | undefined>();
    const numbers = new Map<string, number>();
    return {
      nameOf: (index) => {
        if (!names.has(index)) names.set(index, this.findLink(index)?.name);
        return names.get(index);
      },
      numberOf: (name) => {
        const number = numbers.get(name) ?? this.linkNumber(name, `find interface ${name}`);
        numbers.set(name, number);
        return number;
      },
    };
  }
}

function enter<T>(namespace: number, work: () => T): T {
  // Boxed, so that the type cannot be mistaken for a promise.
  return runInNamespace(namespace, () => ({ value: work() })).value;
}
