import { closeSync } from 'node:fs';
import { openNamespace } from '../namespaces.ts';
import { readPeerIndex, writeLinkRemoval, writeVethCreation } from '../netlink/link-codec.ts';
import { KernelError, type Link, type VethSpec } from '../ports.ts';
import type { NetlinkContext } from './netlink-context.ts';

const NUMBERS_TRIED = 64;

/**
 * Creates a veth whose ends have different interface numbers.
 *
 * The kernel reports a lost carrier at once only if a device's number differs from that of the device it sits on,
 * and for a veth it compares the numbers of the two ends, although these count in different namespaces. Where
 * they happen to be equal the report comes up to a second late (docs/decisions/0010).
 */
export function createVeth(context: NetlinkContext, spec: VethSpec): Link {
  const operation = `create veth ${spec.name} with ${spec.peer.name} in ${spec.peer.namespace}`;
  const namespaceFd = openNamespace(spec.peer.namespace);
  const create = (index: number, peerIndex: number): Link => {
    const placement = { namespaceFd, index, peerIndex };
    context.requests.changeOne(spec, {
      encode: (writer) => writeVethCreation(writer, spec, placement),
      describe: () => operation,
    });
    const made = context.findLink(spec.name);
    if (made === undefined) throw new KernelError('ENODEV', operation, 'it was removed at once');
    return made;
  };
  try {
    const made = create(0, 0);
    if (context.findLink(spec.name, readPeerIndex) !== made.index) return made;
    context.requests.changeOne(spec.name, { encode: writeLinkRemoval, describe: () => operation });
    return withFreeNumbers(made.index + 1, create);
  } finally {
    closeSync(namespaceFd);
  }
}

/** Calls `create` with two successive numbers from `first` on, until both are free. */
function withFreeNumbers(first: number, create: (index: number, peer: number) => Link): Link {
  for (let number = first; ; number++) {
    try {
      return create(number, number + 1);
    } catch (error) {
      const isTaken = error instanceof KernelError && error.code === 'EBUSY';
      if (!isTaken || number - first >= NUMBERS_TRIED) throw error;
    }
  }
}
