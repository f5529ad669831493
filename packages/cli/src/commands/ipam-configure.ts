import type { ConfigChanges } from '@overland/ipam';
import { command, OUTPUT_OPTION, UsageError } from '../command.ts';
import { CONNECTION_OPTIONS } from '../datastore/connection-options.ts';
import { openClient } from '../datastore/open-client.ts';
import { propertyTable } from '../ipam/output.ts';

const BOOLEAN = ['true', 'false'] as const;

/** `ipam configure --strictaffinity=… --max-blocks-per-host=… --ip-cooldown-seconds=…` */
export const ipamConfigure = command({
  name: 'ipam configure',
  summary: 'Change how blocks are claimed and addresses given',
  description:
    'What is not named stays. Agents heed it at once, and so do Calico hosts on the same datastore.',
  options: {
    strictaffinity: {
      type: 'string',
      value: 'bool',
      choices: BOOLEAN,
      summary: "true: a host never gives addresses from others' blocks",
    },
    maxBlocksPerHost: {
      type: 'number',
      value: 'n',
      minimum: 0,
      maximum: 1_000_000,
      summary: 'most blocks of a family that a host claims; 0: 20',
    },
    ipCooldownSeconds: {
      type: 'number',
      value: 'seconds',
      minimum: 0,
      maximum: 1200,
      summary: 'how long a released address rests',
    },
    autoAllocateBlocks: {
      type: 'string',
      value: 'bool',
      choices: BOOLEAN,
      summary: 'false: hosts claim no blocks by themselves',
    },
    output: OUTPUT_OPTION,
    ...CONNECTION_OPTIONS,
  },
  examples: [
    ['overland ipam configure --strictaffinity true --max-blocks-per-host 4', 'no borrowing'],
    ['overland ipam configure --ip-cooldown-seconds 30', 'addresses rest before they are reused'],
  ],
  async handle(context, { config, output, ...given }) {
    const changes: ConfigChanges = {
      ...(given.strictaffinity && { strictAffinity: given.strictaffinity === 'true' }),
      ...(given.autoAllocateBlocks && { autoAllocateBlocks: given.autoAllocateBlocks === 'true' }),
      ...(given.maxBlocksPerHost !== undefined && { maxBlocksPerHost: given.maxBlocksPerHost }),
      ...(given.ipCooldownSeconds !== undefined && { ipCooldownSeconds: given.ipCooldownSeconds }),
    };
    if (Object.keys(changes).length === 0) {
      throw new UsageError("name a setting; 'overland ipam show --show-configuration' shows them");
    }
    const { configureIpam } = await import('@overland/ipam');
    await using open = await openClient(context, { config });
    const { unknown: _, ...now } = await configureIpam(open.datastore, changes);
    const text = output === 'json' ? `${JSON.stringify(now)}\n` : propertyTable(now);
    context.stdout.write(text);
    return 0;
  },
});
