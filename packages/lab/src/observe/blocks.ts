import { z } from 'zod';
import { enterNetwork } from '../runner/enter-node.ts';
import { runProgram } from '../runner/run-program.ts';
import type { LabState } from './observe-lab.ts';

/** An IPAM block that a host holds, as its kernel has it: a blackhole for the addresses that are not in use. */
export interface HostBlock {
  readonly node: string;
  readonly prefix: string;
  /** Addresses of the block that are workloads' now. */
  readonly used: number;
}

const Routes = z.array(z.object({ dst: z.string().optional(), type: z.string().optional() }));

/** Reads the blocks of the hosts that run the agent. */
export async function readBlocks(
  { nodes }: LabState,
  contains: (prefix: string, address: string) => boolean,
): Promise<HostBlock[]> {
  const blocks = nodes.map(async ({ node, pid }) => {
    if (pid === undefined || node.recipe !== 'overland') return [];
    const families = ['-4', '-6'].map(async (family) => {
      // 87 is PROTOCOL.local of @overland/linux.
      const show = ['ip', '-json', family, 'route', 'show', 'proto', '87'];
      const { stdout } = await runProgram(enterNetwork(pid, show));
      const routes = Routes.parse(JSON.parse(stdout || '[]'));
      const hosts = routes.filter(({ type }) => type === undefined || type === 'unicast');
      return routes
        .filter(({ type, dst }) => type === 'blackhole' && dst !== undefined)
        .map(({ dst = '' }) => ({
          node: node.name,
          prefix: dst,
          used: hosts.filter((host) => host.dst !== undefined && contains(dst, host.dst)).length,
        }));
    });
    return (await Promise.all(families)).flat();
  });
  return (await Promise.all(blocks)).flat();
}
