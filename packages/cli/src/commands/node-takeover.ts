import type { Leftover, Takeover } from '@overland/agent/client';
import { connectAgent, reportingAgentErrors } from '../agent-connection.ts';
import { command, OUTPUT_OPTION } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { type Column, formatTable } from '../table.ts';

const FAMILY = { ipv4: 'IPv4', ipv6: 'IPv6' } as const;

const COLUMNS: readonly Column<Leftover>[] = [
  { title: 'WHERE', cell: where },
  { title: 'WHAT', cell: what },
];

/** `node takeover [--remove]` - what Calico has left in the packet filters of this host. */
export const nodeTakeover = command({
  name: 'node takeover',
  summary: "Show what Calico has left in this host's packet filters, and remove it",
  description: `Chains named cali-… of iptables, of both kinds and both IP versions, rules of other chains that lead to them, sets named cali…, and tables of nftables named calico. Without --remove nothing is changed. Chains and sets
that Overland itself uses stay. Rules are removed only once all of Overland's policy is in the kernel, so that workloads are never without one. Stop calico-node on this host first: it would write them again. Exit code 7 if a set is still in use.`,
  options: {
    remove: { type: 'boolean', summary: 'remove what is shown' },
    output: OUTPUT_OPTION,
  },
  examples: [
    ['overland node takeover', 'look first'],
    ['overland node takeover --remove', "once Overland's agent runs and calico-node does not"],
  ],
  handle: (context, { remove, output }) =>
    reportingAgentErrors(async () => {
      const takeover = await connectAgent(context).takeOver(remove);
      const { stdout, stderr, colours } = context;
      if (output === 'json') stdout.write(`${JSON.stringify(takeover)}\n`);
      else stdout.write(takeoverText(takeover, { remove, bold: colours.bold }));
      for (const { what: name, reason } of takeover.refusals) stderr.write(`${name}: ${reason}\n`);
      return takeover.refusals.length === 0 ? EXIT.success : EXIT.refused;
    }),
});

function takeoverText(
  { leftovers, refusals }: Takeover,
  { remove, bold }: { readonly remove: boolean; readonly bold: (text: string) => string },
): string {
  if (leftovers.length === 0) return "nothing of Calico's is in the packet filters\n";
  const table = formatTable(COLUMNS, leftovers, bold);
  if (!remove) return `${table}\nnothing was changed; --remove takes it away\n`;
  const left = refusals.length === 0 ? '' : `, but ${refusals.length} of it`;
  return `${table}\nremoved${left}\n`;
}

function where(leftover: Leftover): string {
  switch (leftover.kind) {
    case 'iptables': {
      const { variant, family, table } = leftover;
      return `iptables-${variant}, ${FAMILY[family]}, table ${table}`;
    }
    case 'nftables':
      return 'nftables';
    case 'ipset':
      return 'ipset';
  }
}

function what(leftover: Leftover): string {
  switch (leftover.kind) {
    case 'iptables':
      return `${leftover.chains} chains, ${leftover.rules} rules that lead to them`;
    case 'nftables':
      return `table ${leftover.table}`;
    case 'ipset':
      return leftover.name;
  }
}
