import type { InterfaceAddress } from '@overland/net';
import { AddressAllotment, readAddressIn } from './parse-management.ts';
import type { NodeWithKeys } from './read-nodes.ts';
import type { Notes } from './read-section.ts';
import type { Management, Node } from './topology.ts';

/** Gives each node its addresses of the management network: those that the file asks for first, then the next free ones. */
export function allotManagement(
  nodes: readonly NodeWithKeys[],
  management: Management,
  { report }: Notes,
): Node[] {
  const ipv4 = new AddressAllotment(management.ipv4Subnet, management.ipv4Gateway);
  const ipv6 = new AddressAllotment(management.ipv6Subnet, management.ipv6Gateway);

  const reserve = (node: NodeWithKeys, family: 'ipv4' | 'ipv6'): InterfaceAddress | undefined => {
    const keys = [`mgmt-${family}`, `mgmt_${family}`] as const;
    const key = keys.find((one) => node.keys[one] !== undefined);
    const text = key && node.keys[key];
    if (key === undefined || text === undefined) return undefined;
    const allotment = family === 'ipv4' ? ipv4 : ipv6;
    const path = ['topology', 'nodes', node.name, key];
    const address = readAddressIn(allotment.subnet, text, path, report);
    const holder = address && allotment.reserve(address, node.name);
    if (holder !== undefined) {
      report(path, `address ${text} of ${node.name} is already that of ${holder}`);
    }
    return address && allotment.withLength(address);
  };
  const asked = new Map(
    nodes.map((node) => [node, { ipv4: reserve(node, 'ipv4'), ipv6: reserve(node, 'ipv6') }]),
  );

  return nodes.map((node) => {
    const { keys: _, networkMode, ...settings } = node;
    if (networkMode.type === 'shared') {
      const target = nodes.find(({ name }) => name === networkMode.node);
      if (target?.networkMode.type !== 'managed') {
        report(
          ['topology', 'nodes', node.name, 'network-mode'],
          `node ${node.name} shares the network of '${networkMode.node}', which is no node with a network of its own`,
        );
      }
      return { ...settings, managementAddresses: undefined, sharesNetworkOf: networkMode.node };
    }
    const unmanaged = { ...settings, managementAddresses: undefined, sharesNetworkOf: undefined };
    if (networkMode.type === 'none' || node.kind === 'bridge') return unmanaged;
    const four = asked.get(node)?.ipv4 ?? ipv4.next(node.name);
    const six = asked.get(node)?.ipv6 ?? ipv6.next(node.name);
    if (four && six) return { ...unmanaged, managementAddresses: { ipv4: four, ipv6: six } };
    report(['mgmt'], `the management subnet is too small: no address is left for ${node.name}`);
    return unmanaged;
  });
}
