import { z } from 'zod';
import { enterNetwork } from '../runner/enter-node.ts';
import { runProgram } from '../runner/run-program.ts';

/** An interface of a node. */
export interface NodeInterface {
  readonly name: string;
  readonly up: boolean;
  /** The other end is there and up. */
  readonly carrier: boolean;
  /** Addresses of global scope, without length. */
  readonly addresses: readonly string[];
}

const Interface = z.object({
  ifname: z.string().optional(),
  flags: z.array(z.string()).default([]),
  addr_info: z
    .array(z.object({ local: z.string().optional(), scope: z.string().optional() }))
    .default([]),
});
// With nothing to show, iproute2 prints an empty object.
const Interfaces = z.array(Interface);

/** Reads the interfaces of a network namespace; `prefix` is the command line that enters it. */
export async function interfacesBy(prefix: readonly string[]): Promise<NodeInterface[]> {
  const { stdout } = await runProgram([...prefix, 'ip', '-json', 'address', 'show']);
  return Interfaces.parse(JSON.parse(stdout)).flatMap(({ ifname, flags, addr_info }) =>
    ifname === undefined
      ? []
      : [
          {
            name: ifname,
            up: flags.includes('UP'),
            carrier: flags.includes('LOWER_UP'),
            addresses: addr_info
              .filter(({ scope }) => scope === 'global')
              .flatMap(({ local }) => local ?? []),
          },
        ],
  );
}

/** Reads the interfaces of a node. */
export function nodeInterfaces(pid: number): Promise<NodeInterface[]> {
  return interfacesBy(enterNetwork(pid, []));
}
