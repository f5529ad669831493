import type { Explanation } from '@overland/ipam';
import { command, OUTPUT_OPTION } from '../command.ts';
import { CONNECTION_OPTIONS } from '../datastore/connection-options.ts';
import { openClient } from '../datastore/open-client.ts';
import { readSurvey } from '../ipam/read-survey.ts';

/** `ipam explain NODE [-o json]` */
export const ipamExplain = command({
  name: 'ipam explain',
  summary: 'Say where the next address of a node would come from, and why',
  arguments: { node: { summary: 'name of the node' } },
  options: { output: OUTPUT_OPTION, ...CONNECTION_OPTIONS },
  examples: [
    ['overland ipam explain host11', 'its blocks, the next ones, and pools that give nothing'],
    ['overland ipam explain host11 -o json', 'for a script'],
  ],
  async handle(context, { node, config, output }) {
    const { explainNode } = await import('@overland/ipam');
    await using open = await openClient(context, { config });
    const survey = await readSurvey(context, open.datastore);
    const explanations = explainNode(survey, node);
    if (output === 'json') {
      context.stdout.write(`${JSON.stringify(explanations)}\n`);
      return 0;
    }
    if (!survey.nodes.has(node)) {
      context.stdout.write(`There is no Node ${node}: as for one without labels\n`);
    }
    for (const explanation of explanations) context.stdout.write(textOf(explanation));
    return 0;
  },
});

function textOf(explanation: Explanation): string {
  const { family, source, own, limit, next, verdicts } = explanation;
  const lines = [`${family === 'ipv4' ? 'IPv4' : 'IPv6'}: ${sourceText(explanation)}`];
  for (const { cidr, pool, free } of own) lines.push(`  has ${cidr} of pool ${pool}: ${free} free`);
  if (own.length > 0) lines.push(`  ${own.length} of at most ${limit} blocks`);
  if (next.length > 0) lines.push(`  would claim, in this order: ${next.join(', ')}`);
  if (source === 'nothing' && verdicts.length === 0) {
    lines.push('  there is no pool of this family: create an IPPool');
  }
  for (const { pool, cidr, reason, remedy } of verdicts) {
    lines.push(`  pool ${pool}${cidr ? ` (${cidr})` : ''} ${reason}: ${remedy}`);
  }
  return `${lines.join('\n')}\n`;
}

function sourceText({ source, block, pool, family }: Explanation): string {
  switch (source) {
    case 'own-block':
      return `the next address comes from its block ${block} (pool ${pool})`;
    case 'new-block':
      return `it would claim ${block} of pool ${pool}`;
    case 'borrowed':
      return `no block is free; it would borrow from another host in pool ${pool}`;
    case 'nothing':
      return `no ${family === 'ipv4' ? 'IPv4' : 'IPv6'} address is to be had`;
  }
}
