import type { IpSets } from '../ip-sets.ts';
import { runInNamespace } from '../namespaces.ts';
import {
  ipSetErrorName,
  readMembers,
  readSet,
  writeMemberChange,
  writeSetCreation,
  writeSetDump,
  writeSetRemoval,
} from '../netlink/ip-set-codec.ts';
import { NetlinkSocket } from '../netlink/netlink-socket.ts';
import { NETLINK } from '../netlink/open-socket.ts';
import { KernelError } from '../ports.ts';

/**
 * Opens the sets of a network namespace, over nfnetlink: 10 µs a change. Synchronous underneath.
 *
 * @param options.namespace Path; absent: the namespace of the calling thread.
 * @throws {KernelError} Without CAP_NET_ADMIN, or if there is no such namespace.
 */
export function openIpSets(options: { readonly namespace?: string } = {}): IpSets & Disposable {
  const { namespace } = options;
  const open = () => ({ socket: new NetlinkSocket(NETLINK.netfilter) });
  const { socket } = namespace === undefined ? open() : runInNamespace(namespace, open);
  return {
    async list() {
      const found = socket.dump('list sets', (writer) => writeSetDump(writer), readSet);
      return found.toSorted((a, b) => (a.name < b.name ? -1 : 1));
    },

    async members(name) {
      const lists = socket.dump(
        `list set ${name}`,
        (writer) => writeSetDump(writer, name),
        readMembers,
      );
      return new Set(lists.flat());
    },

    async create(set) {
      named(() =>
        socket.changeOne(set, {
          encode: writeSetCreation,
          describe: () => `create set ${set.name}`,
        }),
      );
    },

    async destroy(name) {
      named(() =>
        socket.changeOne(name, {
          encode: writeSetRemoval,
          describe: () => `destroy set ${name}`,
          fulfilled: ['ENOENT'],
        }),
      );
    },

    async change(name, { add, remove }) {
      named(() => {
        for (const [command, members] of [
          ['remove', remove],
          ['add', add],
        ] as const) {
          const outcome = socket.change(members, {
            encode: (writer, member) => writeMemberChange(writer, command, name, member),
            describe: (member) => `${command} ${member} in set ${name}`,
          });
          const failed = outcome.find((error) => error !== undefined);
          if (failed) throw failed;
        }
      });
    },

    [Symbol.dispose]: () => socket[Symbol.dispose](),
  };
}

/** Runs work; errors of ipset's own get their usual names. */
function named(work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!(error instanceof KernelError)) throw error;
    const code = ipSetErrorName(error.code);
    throw code === error.code ? error : new KernelError(code, error.operation);
  }
}
