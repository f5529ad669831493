import { GROUP, RTM } from '../netlink/constants.ts';
import {
  readLink,
  writeGroupRemoval,
  writeLinkChange,
  writeLinkRemoval,
} from '../netlink/link-codec.ts';
import { messagesOf } from '../netlink/message-reader.ts';
import { NetlinkSocket } from '../netlink/netlink-socket.ts';
import { NETLINK, openMonitorSocket } from '../netlink/open-socket.ts';
import { adoptDescriptor } from './adopt-descriptor.ts';
import type { NetlinkContext } from './netlink-context.ts';

/** Requests that are in the kernel at a time: each has a thread of the pool that works on files, too. */
const MOST_UNDER_WAY = 2;
/** Group (IFLA_GROUP) of links that are removed at once: "OVLD". Nobody else's links are in it. */
const DOOMED = 0x4f56_4c44;

/** A removal that is waited for; settling it again does nothing. */
interface Removal {
  readonly name: string;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Removes links. One that is removed is gone, and the kernel says so, within half a millisecond; but it keeps its caller
 * for 15 to 30 ms more, until nothing can refer to the device any longer (rcu_barrier). So requests are made in another
 * thread and what counts is the notification; and links that are to go meanwhile go as a group, which waits once
 * (docs/decisions/0280).
 */
export class LinkRemovals {
  readonly #context: NetlinkContext;
  #waiting: Removal[] = [];
  #underWay = 0;

  constructor(context: NetlinkContext) {
    this.#context = context;
  }

  /** Resolves when there is no link of the name; that there was none is fine. @throws {KernelError} */
  remove(name: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ name, resolve, reject });
      this.#begin();
    });
  }

  #begin(): void {
    if (this.#underWay === MOST_UNDER_WAY || this.#waiting.length === 0) return;
    const batch = this.#waiting;
    this.#waiting = [];
    this.#underWay++;
    void this.#removeAll(batch).finally(() => {
      this.#underWay--;
      this.#begin();
    });
  }

  /** Settles each of the batch. */
  async #removeAll(batch: readonly Removal[]): Promise<void> {
    try {
      using opened = new DisposableStack();
      const socket = opened.use(this.#context.inside(() => new NetlinkSocket()));
      const listener = this.#listen(batch);
      opened.defer(() => void listener.destroy());
      const [only, ...others] = batch;
      if (others.length > 0) await removeGroup(socket, batch);
      else if (only) await removeOne(socket, only.name);
      for (const { resolve } of batch) resolve();
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }

  /** Settles what the kernel says is gone. */
  #listen(batch: readonly Removal[]) {
    const fd = this.#context.inside(() => openMonitorSocket(NETLINK.route, [GROUP.link]));
    const socket = adoptDescriptor(fd, (datagram) => {
      for (const message of messagesOf(datagram)) {
        const gone = message.type === RTM.delLink ? readLink(message)?.name : undefined;
        for (const { name, resolve } of batch) if (name === gone) resolve();
      }
      return true;
    });
    // What is not heard is answered later.
    return socket.on('error', () => undefined);
  }
}

async function removeOne(socket: NetlinkSocket, name: string): Promise<void> {
  await socket.changeOneAside(name, {
    encode: writeLinkRemoval,
    describe: () => `remove link ${name}`,
    fulfilled: ['ENODEV'],
  });
}

async function removeGroup(socket: NetlinkSocket, batch: readonly Removal[]): Promise<void> {
  const outcomes = socket.change(batch, {
    encode: (writer, { name }) => writeLinkChange(writer, name, { group: DOOMED }),
    describe: ({ name }) => `remove link ${name}`,
  });
  for (const [at, error] of outcomes.entries()) {
    if (error?.code === 'ENODEV') batch[at]?.resolve();
    else if (error) batch[at]?.reject(error);
  }
  await socket.changeOneAside(DOOMED, {
    encode: writeGroupRemoval,
    describe: () => `remove ${batch.length} links`,
    // Others have removed them meanwhile.
    fulfilled: ['ENODEV', 'EPERM'],
  });
}
