import { setImmediate } from 'node:timers/promises';
import { type Family, familyOf, type IpAddress } from '@overland/net';
import {
  type Connection,
  type ConnectionFilter,
  familiesOf,
  filtersFor,
  readConnection,
  readConnectionCount,
  writeConnectionCount,
  writeConnectionDump,
  writeConnectionRemoval,
} from '../netlink/conntrack-codec.ts';
import { NetlinkSocket } from '../netlink/netlink-socket.ts';
import { NETLINK } from '../netlink/open-socket.ts';
import type { Conntrack } from '../ports.ts';
import type { NetlinkContext } from './netlink-context.ts';

/** The kernel filters for so many addresses; for more of them everything is read once. */
const FILTERED_ADDRESSES = 4;
/**
 * Up to so many connections are all read, once: the kernel walks through all of its hash table, 4 ms of 262,144 empty
 * buckets, for each question.
 */
const READ_AT_ONCE = 4096;
/** Reading gives way to other work after this many datagrams of up to 32 KB. */
const SLICE_DATAGRAMS = 32;

/**
 * {@link Conntrack} over ctnetlink. Its socket stays open: closing one of netfilter's after a transaction of nftables takes
 * milliseconds, because the kernel frees what the transaction has removed first.
 */
export function netlinkConntrack(context: NetlinkContext): Conntrack {
  let open: NetlinkSocket | undefined;
  context.defer(() => open?.[Symbol.dispose]());
  let last: Promise<unknown> = Promise.resolve();
  const attempt = async (
    wanted: ReadonlySet<IpAddress>,
    isWanted: (connection: Connection) => boolean,
  ): Promise<number> => {
    open ??= context.inside(() => new NetlinkSocket(NETLINK.netfilter));
    try {
      return await forgetOver(open, wanted, isWanted);
    } catch (error) {
      // Answers that nobody reads any more may wait in it.
      open[Symbol.dispose]();
      open = undefined;
      throw error;
    }
  };
  return {
    async forget(addresses, isWanted = () => true) {
      const wanted = new Set(addresses);
      if (wanted.size === 0) return 0;
      // Reading gives way to other work: one at a time.
      const result = last.then(() => attempt(wanted, isWanted));
      last = result.catch(() => undefined);
      return await result;
    },
  };
}

async function forgetOver(
  socket: NetlinkSocket,
  wanted: ReadonlySet<IpAddress>,
  isWanted: (connection: Connection) => boolean,
): Promise<number> {
  const count = countOf(socket);
  if (count === 0) return 0;
  const found = new Map<string, Connection>();
  for (const [family, filter] of questions(wanted, count)) {
    await readInto(found, { socket, family, filter, wanted });
  }
  const unwanted = [...found.values()].filter(isWanted);
  const outcome = socket.change(unwanted, {
    encode: writeConnectionRemoval,
    describe: ({ original: { source, destination } }) =>
      `forget connection from ${source} to ${destination}`,
    // It has ended by itself.
    fulfilled: ['ENOENT'],
  });
  const refusal = outcome.find((error) => error !== undefined);
  if (refusal) throw refusal;
  return unwanted.length;
}

function endsOf({ original, reply }: Connection): IpAddress[] {
  return [original.source, original.destination, reply.source, reply.destination];
}

/** How many connections there are; as good as infinite, if the kernel does not say. */
function countOf(socket: NetlinkSocket): number {
  let count: number | undefined;
  socket.get(writeConnectionCount, (message) => {
    count = readConnectionCount(message);
  });
  return count ?? Number.POSITIVE_INFINITY;
}

/** Of one family, or of both. */
type Question = readonly [family: Family | undefined, filter: ConnectionFilter | undefined];

function questions(addresses: ReadonlySet<IpAddress>, count: number): Question[] {
  if (count <= READ_AT_ONCE || addresses.size > FILTERED_ADDRESSES) {
    const [family, ...others] = familiesOf(addresses);
    return [[others.length > 0 ? undefined : family, undefined]];
  }
  return [...addresses].flatMap((address) =>
    filtersFor(address).map((filter): Question => [familyOf(address), filter]),
  );
}

async function readInto(
  found: Map<string, Connection>,
  question: {
    readonly socket: NetlinkSocket;
    readonly family: Family | undefined;
    readonly filter: ConnectionFilter | undefined;
    readonly wanted: ReadonlySet<IpAddress>;
  },
): Promise<void> {
  const { socket, family, filter, wanted } = question;
  const read = (message: Parameters<typeof readConnection>[0]): undefined => {
    const connection = readConnection(message);
    if (!connection || !endsOf(connection).some((address) => wanted.has(address))) return;
    const { original, id } = connection.name;
    found.set(`${original} ${id}`, connection);
  };
  socket.beginDump((writer) => writeConnectionDump(writer, family, filter));
  for (let datagrams = 1; ; datagrams++) {
    // Connections come and go while they are read: those that are there all the time are found.
    if (socket.continueDump('list connections', read, []) !== 'more') return;
    if (datagrams % SLICE_DATAGRAMS === 0) await setImmediate();
  }
}
