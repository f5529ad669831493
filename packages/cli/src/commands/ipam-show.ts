import type { Survey } from '@overland/ipam';
import { stringifyJson } from '@overland/model';
import { isAddress, parseAddress } from '@overland/net';
import { type CommandContext, command, OUTPUT_OPTION, UsageError } from '../command.ts';
import { CONNECTION_OPTIONS } from '../datastore/connection-options.ts';
import { openClient } from '../datastore/open-client.ts';
import { propertyTable } from '../ipam/output.ts';
import { readSurvey } from '../ipam/read-survey.ts';
import {
  BORROWED_COLUMNS,
  blockRow,
  ownerText,
  USAGE_COLUMNS,
  usageRows,
} from '../ipam/usage-text.ts';
import { formatTable } from '../table.ts';

/** What is to be shown: as data, and as text. */
interface View {
  readonly data: unknown;
  readonly text: string;
}

/** `ipam show` - pools, blocks, one address, one handle, what is borrowed, or the configuration. */
export const ipamShow = command({
  name: 'ipam show',
  summary: 'Show how full pools are, or what is known of blocks and addresses',
  options: {
    showBlocks: { type: 'boolean', summary: 'the blocks of each pool as well' },
    showBorrowed: { type: 'boolean', summary: "addresses that nodes have from others' blocks" },
    showConfiguration: { type: 'boolean', summary: 'how blocks are claimed' },
    ip: { type: 'string', value: 'address', summary: 'what is known of one address' },
    handle: { type: 'string', value: 'id', summary: 'what one holder has' },
    output: OUTPUT_OPTION,
    ...CONNECTION_OPTIONS,
  },
  examples: [
    ['overland ipam show --show-blocks', 'pools and their blocks, and how full they are'],
    ['overland ipam show --ip 10.65.0.7', 'who has an address'],
    ['overland ipam show -o json', 'for a script; blocks are always among it'],
  ],
  async handle(context, { config, output, ...asked }) {
    const { ip, handle } = asked;
    const chosen = [asked.showBorrowed, asked.showConfiguration, ip, handle].filter(Boolean);
    if (chosen.length > 1) {
      throw new UsageError(
        '--ip, --handle, --show-borrowed and --show-configuration: one at a time',
      );
    }
    if (ip !== undefined && !isAddress(ip)) throw new UsageError(`--ip: ${ip} is no IP address`);
    await using open = await openClient(context, { config });
    const survey = await readSurvey(context, open.datastore);
    const view = await viewOf(context, survey, asked);
    context.stdout.write(output === 'json' ? `${stringifyJson(view.data)}\n` : view.text);
    return 0;
  },
});

interface Asked {
  readonly showBlocks: boolean;
  readonly showBorrowed: boolean;
  readonly showConfiguration: boolean;
  readonly ip: string | undefined;
  readonly handle: string | undefined;
}

async function viewOf({ colours }: CommandContext, survey: Survey, asked: Asked): Promise<View> {
  const { ip, handle, showBlocks } = asked;
  const ipam = await import('@overland/ipam');
  if (ip !== undefined) return addressView(ipam.addressState(survey, parseAddress(ip)));
  if (handle !== undefined) {
    const held = ipam.allAllocations(survey).filter((each) => each.handle === handle);
    const text = held.length === 0 ? `${handle} holds no address\n` : '';
    return { data: held, text: text || formatTable(BORROWED_COLUMNS, held, colours.bold) };
  }
  if (asked.showBorrowed) {
    const data = ipam.borrowedAddresses(survey);
    const table = formatTable(BORROWED_COLUMNS, data, colours.bold);
    return { data, text: data.length === 0 ? 'No address is borrowed\n' : table };
  }
  if (asked.showConfiguration) return configurationView(survey);
  const pools = ipam.usageOf(survey);
  const stray = ipam.strayBlocks(survey);
  const rows = [
    ...pools.flatMap((pool) => usageRows(pool, showBlocks)),
    ...stray.map(blockRow).map((row) => ({ ...row, grouping: `${row.grouping}, in no pool` })),
  ];
  const empty = "There is no IP pool: create one with 'overland apply'\n";
  const text = rows.length === 0 ? empty : formatTable(USAGE_COLUMNS, rows, colours.bold);
  return { data: { pools, blocksInNoPool: stray }, text };
}

function addressView(found: ReturnType<typeof import('@overland/ipam').addressState>): View {
  const { address, state, allocation, pool, block } = found;
  const lines = [`IP ${address} is ${state}`];
  if (pool !== undefined) lines.push(`Pool: ${pool}`);
  if (block !== undefined) lines.push(`Block: ${block}`);
  if (allocation) {
    lines.push(`Block owner: ${ownerText(allocation.blockOwner)}`);
    lines.push(`Handle: ${allocation.handle ?? '-'}`);
    lines.push(`Used by: ${allocation.usedBy ?? 'no endpoint that is known'}`);
    lines.push('Attributes:');
    for (const [name, value] of Object.entries(allocation.attributes)) {
      lines.push(`  ${name}: ${value}`);
    }
  }
  return { data: found, text: `${lines.join('\n')}\n` };
}

function configurationView({ config }: Survey): View {
  const { unknown: _, ...known } = config;
  return { data: known, text: propertyTable(known) };
}
