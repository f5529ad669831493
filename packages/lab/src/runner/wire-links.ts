import type { Endpoint, Link, Management, Node } from '../topology/topology.ts';
import { enterNetwork } from './enter-node.ts';
import { MANAGEMENT_NODE } from './lab-paths.ts';
import { runProgram } from './run-program.ts';

/** Where a node's management interface is plugged in, in the management namespace. */
export const MANAGEMENT_BRIDGE = 'br-mgmt';

/** PID 1 of each node, by name. */
export type Pids = ReadonlyMap<string, number>;

export interface ManagedNode {
  readonly node: Node;
  readonly mac: string;
  /** Of the bridge's end; the node's position in the file, as names are short in the kernel. */
  readonly port: number;
}

/** First interface number of data links: beyond what the kernel gives out by itself. */
const FIRST_INDEX = 1000;

/**
 * `ip -batch` lines that make a veth pair directly in its two namespaces: nothing passes through any other. Its ends have different
 * interface numbers, or the kernel would report a lost carrier up to a second late (docs/decisions/0010).
 *
 * @param position Of the link in its topology.
 */
export function linkLines(link: Link, position: number, pids: Pids): string[] {
  const [a, b] = link.endpoints;
  const end = ({ node, interface: name, mac }: Endpoint, index: number): string =>
    `name ${name} index ${index} mtu ${link.mtu} address ${mac} netns ${pidOf(pids, node)}`;
  const index = FIRST_INDEX + 2 * position;
  return [`link add ${end(a, index)} type veth peer ${end(b, index + 1)}`];
}

/** The same for a node's eth0 and its port at the management bridge. */
export function managementLines(
  { node, mac, port }: ManagedNode,
  mtu: number,
  pids: Pids,
): string[] {
  const name = `port${port}`;
  return [
    `link add name ${name} mtu ${mtu} type veth peer name eth0 mtu ${mtu} address ${mac} netns ${pidOf(pids, node.name)}`,
    `link set ${name} master ${MANAGEMENT_BRIDGE} up`,
  ];
}

/** `ip -batch` lines, in the management namespace, that make the bridge. */
export function bridgeLines({
  ipv4Subnet,
  ipv6Subnet,
  ipv4Gateway,
  ipv6Gateway,
  mtu,
}: Management): string[] {
  const length = (subnet: string): string => subnet.slice(subnet.indexOf('/'));
  return [
    `link add name ${MANAGEMENT_BRIDGE} mtu ${mtu} type bridge`,
    `address add ${ipv4Gateway}${length(ipv4Subnet)} dev ${MANAGEMENT_BRIDGE}`,
    `address add ${ipv6Gateway}${length(ipv6Subnet)} dev ${MANAGEMENT_BRIDGE} nodad`,
    `link set ${MANAGEMENT_BRIDGE} up`,
  ];
}

/** `ip -batch` lines, in a node, that bring its new interfaces up. */
export function nodeLines(
  node: Node,
  interfaces: readonly string[],
  management: Management,
): string[] {
  const lines = interfaces.map((name) => `link set ${name} up`);
  if (node.kind === 'bridge') {
    return [...interfaces.map((name) => `link set ${name} master ${node.name}`), ...lines];
  }
  const addresses = node.managementAddresses;
  if (!addresses || !interfaces.includes('eth0')) return lines;
  return [
    ...lines,
    `address replace ${addresses.ipv4.address}/${addresses.ipv4.length} dev eth0`,
    `address replace ${addresses.ipv6.address}/${addresses.ipv6.length} dev eth0 nodad`,
    `route replace default via ${management.ipv4Gateway} dev eth0`,
    `route replace ::/0 via ${management.ipv6Gateway} dev eth0 metric 1024`,
  ];
}

/** Runs `ip -batch` in a node's network namespace. PIDs in the lines are ours. */
export async function runBatch(pid: number, lines: readonly string[]): Promise<void> {
  if (lines.length === 0) return;
  await runProgram(enterNetwork(pid, ['ip', '-batch', '-']), { input: `${lines.join('\n')}\n` });
}

/** Names of a node's interfaces. */
export async function interfacesOf(pid: number): Promise<Set<string>> {
  const { stdout } = await runProgram(enterNetwork(pid, ['ip', '-json', 'link', 'show']));
  return new Set((JSON.parse(stdout) as { ifname: string }[]).map(({ ifname }) => ifname));
}

/** PID of a node that must be running. */
export function pidOf(pids: Pids, node: string): number {
  const pid = pids.get(node);
  if (pid === undefined) throw new Error(`node ${node} does not run`);
  return pid;
}

export function managementPid(pids: Pids): number {
  return pidOf(pids, MANAGEMENT_NODE);
}
