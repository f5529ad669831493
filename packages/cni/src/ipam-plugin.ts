import { hostPrefix } from '@overland/net';
import { addressWishes } from './attach-request.ts';
import { CNI_CODE, CniError } from './cni-error.ts';
import type { AddressHolder } from './cni-host.ts';
import type { CommandContext, CommandTable } from './interface-plugin.ts';
import { type NetworkConfiguration, parseConfiguration } from './network-configuration.ts';
import { formatResult, parseResult } from './result.ts';
import { attachmentsToCollect, collectEach } from './valid-attachments.ts';

/** What `overland-ipam` does: addresses alone, for another plugin's interface. */
export const IPAM_COMMANDS: CommandTable = {
  async ADD(context) {
    const configuration = configurationOf(context);
    const wishes = addressWishes(configuration, context.environment);
    const addresses = await context.host.addresses.assign(holderOf(context), wishes);
    const ips = addresses.map((address) => ({ address: hostPrefix(address) }));
    const { cniVersion } = context;
    const dns = configuration.dns ?? {};
    return formatResult({ interfaces: [], ips, routes: [], dns }, cniVersion);
  },

  async DEL(context) {
    await context.host.addresses.release(holderOf(context));
  },

  async CHECK(context) {
    const { prevResult } = configurationOf(context);
    if (prevResult === undefined) {
      throw new CniError(CNI_CODE.invalidConfiguration, 'CHECK needs prevResult');
    }
    const told = new Set(parseResult(prevResult, 'prevResult').ips.map(({ address }) => address));
    const held = await context.host.addresses.heldBy(holderOf(context));
    if (held.some((address) => told.has(hostPrefix(address)))) return;
    const { containerId, ifname } = context.environment;
    throw new CniError(
      CNI_CODE.notAsAttached,
      `no address of prevResult is assigned to ${containerId}, ${ifname}`,
    );
  },

  async GC(context) {
    const configuration = configurationOf(context);
    const { addresses } = context.host;
    const holders = await addresses.holders(configuration.name);
    await collectEach(attachmentsToCollect(configuration, holders), (holder) =>
      addresses.release(holder),
    );
  },

  STATUS: (context) =>
    context.host.status(addressWishes(configurationOf(context), context.environment)),
};

function configurationOf({ document, cniVersion }: CommandContext): NetworkConfiguration {
  return parseConfiguration(document, cniVersion);
}

function holderOf({ document, environment }: CommandContext): AddressHolder {
  const { containerId, ifname } = environment;
  return { network: String(document.name), containerId, ifname };
}
