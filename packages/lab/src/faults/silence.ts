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
  const table = tableOf(device);
  const chain = { family: 'netdev', table: table.name, name: 'received', dev: device, ...HOOK };
  await apply(pid, [...removal(table), { add: { table } }, { add: { chain } }]);
}

/** Undoes {@link silence}. */
export async function unsilence(pid: number, device: string): Promise<void> {
  await apply(pid, removal(tableOf(device)));
}

const HOOK = { type: 'filter', hook: 'ingress', prio: -500, policy: 'drop' } as const;

interface Table {
  readonly family: 'netdev';
  readonly name: string;
}

function tableOf(device: string): Table {
  return { family: 'netdev', name: `${TABLE_PREFIX}${device}` };
}

/** Adding the table first makes deleting it safe, whether it is there or not. */
function removal(table: Table): object[] {
  return [{ add: { table } }, { delete: { table } }];
}

/**
 * One transaction. JSON, because nft's own language cannot spell every interface name; as an argument, because nft opens
 * /dev/stdin anew, which does not work on the socket that Node gives its children.
 */
async function apply(pid: number, commands: readonly object[]): Promise<void> {
  const json = JSON.stringify({ nftables: commands });
  await runProgram(enterNetwork(pid, ['nft', '-json', json]));
}
