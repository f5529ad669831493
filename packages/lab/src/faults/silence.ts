import { z } from 'zod';
import { enterNetwork } from '../runner/enter-node.ts';
import { runProgram } from '../runner/run-program.ts';

/** Tables of this prefix are faults that we made; the rest of the name is the interface. */
const TABLE_PREFIX = 'overland-lab-silence-';

const Tables = z.object({
  nftables: z.array(
    z.object({ table: z.object({ family: z.string(), name: z.string() }).optional() }),
  ),
});

/** Interfaces of a node that drop everything they receive because {@link silence} says so. */
export async function silencedInterfaces(pid: number): Promise<ReadonlySet<string>> {
  const { stdout } = await runProgram(
    enterNetwork(pid, ['nft', '-json', 'list', 'tables', 'netdev']),
  );
  const names = Tables.parse(JSON.parse(stdout)).nftables.flatMap(({ table }) => table?.name ?? []);
  return new Set(
    names
      .filter((name) => name.startsWith(TABLE_PREFIX))
      .map((name) => name.slice(TABLE_PREFIX.length)),
  );
}

/** Makes an interface drop everything it receives, in the driver's path, before anybody could see it. It stays up. */
export async function silence(pid: number, device: string): Promise<void> {
  const table = `netdev "${TABLE_PREFIX}${device}"`;
  // Adding the table first makes deleting it safe; the whole is one transaction.
  const rules = `
    add table ${table}
    delete table ${table}
    table ${table} {
      chain received {
        type filter hook ingress device "${device}" priority -500; policy drop;
      }
    }
  `;
  await runProgram(enterNetwork(pid, ['nft', '-f', '-']), { input: rules });
}

/** Undoes {@link silence}. */
export async function unsilence(pid: number, device: string): Promise<void> {
  const table = `netdev "${TABLE_PREFIX}${device}"`;
  const rules = `add table ${table}\ndelete table ${table}\n`;
  await runProgram(enterNetwork(pid, ['nft', '-f', '-']), { input: rules });
}
