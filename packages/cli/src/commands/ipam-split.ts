import { command, UsageError } from '../command.ts';
import { CONNECTION_OPTIONS } from '../datastore/connection-options.ts';
import { openClient } from '../datastore/open-client.ts';
import { TEXT_OUTPUT_OPTION } from '../ipam/output.ts';

/** `ipam split N --name POOL | --cidr CIDR` */
export const ipamSplit = command({
  name: 'ipam split',
  summary: 'Replace a pool by equal parts of it',
  description:
    'The parts are called split-POOL-0, split-POOL-1, … and keep all other settings; addresses and blocks stay. It is one transaction, so unlike with calicoctl nothing need be locked.',
  arguments: { parts: { summary: 'how many: a power of two' } },
  options: {
    name: { type: 'string', value: 'pool', summary: 'the pool, by name' },
    cidr: { type: 'string', value: 'cidr', summary: 'the pool, by its range' },
    output: TEXT_OUTPUT_OPTION,
    ...CONNECTION_OPTIONS,
  },
  examples: [
    ['overland ipam split 4 --name default', 'a /16 becomes four of /18'],
    ['overland ipam split 2 --cidr 10.65.0.0/16', 'the pool of a range, in two'],
  ],
  async handle(context, { parts, name, cidr, config, output }) {
    if ((name === undefined) === (cidr === undefined)) {
      throw new UsageError('name one pool, with --name or --cidr');
    }
    const { splitPool } = await import('@overland/ipam');
    await using open = await openClient(context, { config });
    const pool = name ?? (await poolNamed(open.client, cidr ?? ''));
    const made = await splitPool(open.datastore, {
      pool,
      parts: /^\d{1,4}$/.test(parts) ? Number(parts) : Number.NaN,
      now: () => new Date(),
      randomUuid: () => crypto.randomUUID(),
    });
    if (output === 'json') context.stdout.write(`${JSON.stringify(made)}\n`);
    else {
      for (const part of made) context.stdout.write(`Created ${part.name} (${part.cidr})\n`);
      context.stdout.write(`Removed ${pool}\n`);
    }
    return 0;
  },
});

async function poolNamed(
  client: import('@overland/datastore').ResourceClient,
  cidr: string,
): Promise<string> {
  const { resources } = await client.list('IPPool');
  const found = resources.find(({ spec }) => spec.cidr === cidr);
  if (found) return found.metadata.name;
  throw new UsageError(`no pool has the range ${cidr}; see overland ipam show`);
}
