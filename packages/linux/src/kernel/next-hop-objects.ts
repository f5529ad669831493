import {
  readNextHopObject,
  writeNextHopDump,
  writeNextHopRemoval,
  writeNextHopReplacement,
} from '../netlink/next-hop-codec.ts';
import type { NextHopObjects } from '../ports.ts';
import type { NetlinkContext } from './netlink-context.ts';

/** {@link NextHopObjects} over rtnetlink. */
export function netlinkNextHopObjects(context: NetlinkContext): NextHopObjects {
  const { requests } = context;
  return {
    async list(protocol) {
      const devices = context.devices();
      // The kernel has no filter by protocol for these; there are few of them.
      const objects = requests.dump('list next-hop objects', writeNextHopDump, (message) =>
        readNextHopObject(message, devices),
      );
      return protocol === undefined
        ? objects
        : objects.filter((object) => object.protocol === protocol);
    },

    async replace(objects) {
      const devices = context.devices();
      return requests.change(objects, {
        encode: (writer, object) => writeNextHopReplacement(writer, object, devices),
        describe: ({ id }) => `replace next-hop object ${id}`,
      });
    },

    async remove(ids) {
      return requests.change(ids, {
        encode: writeNextHopRemoval,
        describe: (id) => `remove next-hop object ${id}`,
        fulfilled: ['ENOENT'],
      });
    },
  };
}
