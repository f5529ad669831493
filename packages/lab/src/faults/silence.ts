import { z } from 'zod';
import { enterNetwork } from '../runner/enter-node.ts';
import { runProgram } from '../runner/run-program.ts';

/** Tables of this prefix are faults that we made; the rest of the name is the interface. */
const TABLE_PREFIX = 'overland-lab-silence-';

const Tables = z.object({
  nftables: z.array(z.object({ table: z.object({ name: z.string() }).optional() })),
});

/** Interfaces of a node that drop everything they receive because {@link silence} says so. */
export async function silencedInterfaces(pid: number): Promise<ReadonlySet<string>> {
  const argv = ['nft', '-json', 'list', 'tables', 'netdev'];
  const { stdout } = await runProgram(enterNetwork(pid, argv));
  const names = Tables.parse(JSON.parse(stdout)).nftables.flatMap(({ table }) => table?.name ?? []);
  return new Set(
    names
      .filter((name) => name.startsWith(TABLE_PREFIX))
      .map((name) => name.slice(TABLE_PREFIX.length)),
  );
}

/**
 * Makes interfaces of a node drop everything they receive, in the driver's path, before anybody could see it. They stay up.
 * All at the same moment.
 */
export async function silence(pid: number, devices: readonly string[]): Promise<void> {
  await apply(pid, devices.flatMap(silencing));
}

/** Undoes {@link silence}, also where it was not done. */
export async function unsilence(pid: number, devices: readonly string[]): Promise<void> {
  await apply(
    pid,
    devices.flatMap((device) => removal(tableOf(device))),
  );
}

const HOOK = { type: 'filter', hook: 'ingress', prio: -500, policy: 'drop' } as const;

interface Table {
  readonly family: 'netdev';
  readonly name: string;
}

function tableOf(device: string): Table {
  return { family: 'netdev', name: `${TABLE_PREFIX}${device}` };
}

function silencing(device: string): object[] {
  const table = tableOf(device);
  const chain = { family: 'netdev', table: table.name, name: 'received', dev: device, ...HOOK };
  return [...removal(table), { add: { table } }, { add: { chain } }];
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
