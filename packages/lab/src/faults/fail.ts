import { enterNetwork } from '../runner/enter-node.ts';
import { runProgram } from '../runner/run-program.ts';
import { type Pids, pidOf, runBatch } from '../runner/wire-links.ts';
import type { Endpoint, Link, Topology } from '../topology/topology.ts';
import { silence, unsilence } from './silence.ts';

/** What to break: one link, by one of its ends, or all links of a node. */
export type FaultTarget =
  | { readonly type: 'link'; readonly node: string; readonly interface: string }
  | { readonly type: 'node'; readonly node: string };

/** There is no such link or node. */
export class FaultTargetError extends Error {
  override readonly name = 'FaultTargetError';
}

/** How to break it: `down` is a pulled cable, which both ends see; `silent` is one that both ends believe in. */
export type FaultMode = 'down' | 'silent';

/** The links that a target means. @throws {FaultTargetError} If there are none. */
export function linksOf(topology: Topology, target: FaultTarget): Link[] {
  const isMeant = (end: Endpoint): boolean =>
    end.node === target.node && (target.type === 'node' || end.interface === target.interface);
  const links = topology.links.filter(({ endpoints }) => endpoints.some(isMeant));
  if (links.length > 0) return links;
  if (!topology.nodes.some(({ name }) => name === target.node)) {
    const names = topology.nodes.map(({ name }) => name).join(', ');
    throw new FaultTargetError(`there is no node '${target.node}'; there are ${names}`);
  }
  const own = topology.links
    .flatMap(({ endpoints }) => endpoints)
    .filter(({ node }) => node === target.node)
    .map((end) => end.interface);
  const which = target.type === 'link' ? ` at '${target.interface}'; it has ${own.join(', ')}` : '';
  throw new FaultTargetError(`node '${target.node}' has no link${which}`);
}

/**
 * Breaks links. Nothing passes once this returns; ends of one node go at the same moment.
 *
 * @param target Whose ends go down; the other ends lose the carrier.
 */
export async function failLinks(
  links: readonly Link[],
  { target, mode, pids }: { target: FaultTarget; mode: FaultMode; pids: Pids },
): Promise<void> {
  for (const [node, devices] of devicesByNode(links)) {
    const pid = pidOf(pids, node);
    if (mode === 'silent') await silence(pid, devices);
    else if (node === target.node) await setLinks(pid, devices, 'down');
  }
}

/** Mends links, however they were broken. */
export async function healLinks(links: readonly Link[], pids: Pids): Promise<void> {
  for (const [node, devices] of devicesByNode(links)) {
    const pid = pids.get(node);
    if (pid === undefined) continue;
    await unsilence(pid, devices);
    await setLinks(pid, devices, 'up');
  }
}

function devicesByNode(links: readonly Link[]): Map<string, string[]> {
  const devices = new Map<string, string[]>();
  for (const end of links.flatMap(({ endpoints }) => endpoints)) {
    devices.set(end.node, [...(devices.get(end.node) ?? []), end.interface]);
  }
  return devices;
}

async function setLinks(pid: number, devices: readonly string[], state: 'up' | 'down') {
  if (state === 'down') {
    // Otherwise the kernel would throw away the IPv6 addresses, and only those.
    const keys = devices.map((device) => `net/ipv6/conf/${device}/keep_addr_on_down=1`);
    await runProgram(enterNetwork(pid, ['sysctl', '-q', '-w', ...keys]));
  }
  await runBatch(
    pid,
    devices.map((device) => `link set dev ${device} ${state}`),
  );
}
