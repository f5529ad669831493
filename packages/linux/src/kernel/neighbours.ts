import type { IpAddress } from '@overland/net';
import {
  readNeighbour,
  readProxy,
  writeNeighbourDump,
  writeNeighbourProbe,
  writeNeighbourRemoval,
  writeNeighbourReplacement,
  writeProxyCreation,
} from '../netlink/neighbour-codec.ts';
import type { Neighbours } from '../ports.ts';
import type { NetlinkContext } from './netlink-context.ts';

/** {@link Neighbours} over rtnetlink. */
export function netlinkNeighbours(context: NetlinkContext): Neighbours {
  const { requests } = context;
  return {
    async list(device) {
      const devices = context.devices();
      const neighbours = requests.dump(
        'list neighbours',
        (writer) => writeNeighbourDump(writer, false),
        (message) => readNeighbour(message, devices),
      );
      return neighbours.filter((neighbour) => device === undefined || neighbour.device === device);
    },

    async replace({ device, address, mac }) {
      const operation = `replace neighbour ${address} on ${device}`;
      const index = context.linkNumber(device, operation);
      requests.changeOne(address, {
        encode: (writer) => writeNeighbourReplacement(writer, index, address, mac),
        describe: () => operation,
      });
    },

    remove: async (device, address) => remove(context, device, address, false),

    async probe(device, address) {
      const operation = `probe neighbour ${address} on ${device}`;
      const index = context.linkNumber(device, operation);
      requests.changeOne(address, {
        encode: (writer) => writeNeighbourProbe(writer, index, address),
        describe: () => operation,
      });
    },

    async listProxies(device) {
      const devices = context.devices();
      const entries = requests.dump(
        'list neighbour proxies',
        (writer) => writeNeighbourDump(writer, true),
        (message) => readProxy(message, devices),
      );
      return entries.filter((entry) => device === undefined || entry.device === device);
    },

    async addProxy(device, address) {
      const operation = `answer for ${address} on ${device}`;
      const index = context.linkNumber(device, operation);
      requests.changeOne(address, {
        encode: (writer) => writeProxyCreation(writer, index, address),
        describe: () => operation,
      });
    },

    removeProxy: async (device, address) => remove(context, device, address, true),
  };
}

function remove(context: NetlinkContext, device: string, address: IpAddress, proxy: boolean): void {
  const link = context.findLink(device);
  if (link === undefined) return;
  context.requests.changeOne(address, {
    encode: (writer) => writeNeighbourRemoval(writer, link.index, address, proxy),
    describe: () => `remove ${proxy ? 'proxy' : 'neighbour'} ${address} on ${device}`,
    fulfilled: ['ENOENT', 'ENODEV'],
  });
}
