import { formatInterfaceAddress, type InterfaceAddress } from '@overland/net';
import {
  readAddress,
  writeAddressCreation,
  writeAddressDump,
  writeAddressRemoval,
} from '../netlink/address-codec.ts';
import {
  readLink,
  writeIfbCreation,
  writeLinkChange,
  writeLinkDump,
} from '../netlink/link-codec.ts';
import type { Links } from '../ports.ts';
import { createVeth } from './create-veth.ts';
import { LinkRemovals } from './link-removals.ts';
import type { NetlinkContext } from './netlink-context.ts';

/** {@link Links} over rtnetlink. */
export function netlinkLinks(context: NetlinkContext): Links {
  const { requests } = context;
  const removals = new LinkRemovals(context);
  return {
    list: async () => requests.dump('list links', writeLinkDump, readLink),

    get: async (name) => context.findLink(name),

    createVeth: async (spec) => createVeth(context, spec),

    async createIfb(name) {
      requests.changeOne(name, {
        encode: writeIfbCreation,
        describe: () => `create ifb ${name}`,
        fulfilled: ['EEXIST'],
      });
    },

    async set(name, change) {
      const operation = `change link ${name}`;
      const index = context.linkNumber(name, operation);
      requests.changeOne(change, {
        encode: (writer) => writeLinkChange(writer, index, change),
        describe: () => operation,
      });
    },

    remove: (name) => removals.remove(name),

    async addresses(name) {
      const operation = `list addresses of ${name}`;
      const index = context.linkNumber(name, operation);
      return requests.dump(
        operation,
        (writer) => writeAddressDump(writer, index),
        (message) => readAddress(message)?.address,
      );
    },

    async addAddress(name, address, { probe = true } = {}) {
      const operation = `add ${formatInterfaceAddress(address)} to ${name}`;
      const index = context.linkNumber(name, operation);
      requests.changeOne(address, {
        encode: (writer) => writeAddressCreation(writer, index, address, probe),
        describe: () => operation,
      });
    },

    removeAddress: async (name, address) => removeAddress(context, name, address),
  };
}

function removeAddress(context: NetlinkContext, name: string, address: InterfaceAddress): void {
  const link = context.findLink(name);
  if (link === undefined) return;
  context.requests.changeOne(address, {
    encode: (writer) => writeAddressRemoval(writer, link.index, address),
    describe: () => `remove ${formatInterfaceAddress(address)} from ${name}`,
    fulfilled: ['EADDRNOTAVAIL', 'ENODEV'],
  });
}
