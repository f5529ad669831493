import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { stringifyJson } from '@overland/model';
import { command, FailureError, UsageError } from '../command.ts';
import { CONNECTION_OPTIONS } from '../datastore/connection-options.ts';
import { openClient } from '../datastore/open-client.ts';
import { blockMap } from '../ipam/block-map.ts';
import { blockMapSvg } from '../ipam/block-map-svg.ts';
import { blockMapText } from '../ipam/block-map-text.ts';
import { TEXT_OUTPUT_OPTION } from '../ipam/output.ts';
import { readSurvey } from '../ipam/read-survey.ts';
import { writeOut } from '../write-out.ts';

/** `ipam map [POOL] [--svg FILE] [-o json]` */
export const ipamMap = command({
  name: 'ipam map',
  summary: 'Draw the blocks of a pool: colour by owner, fill by use',
  description:
    'Of a pool with more than 4096 blocks only those that exist are drawn. The SVG has a tooltip for each block.',
  arguments: { pool: { summary: 'name or range of a pool; default: all', optional: true } },
  options: {
    svg: { type: 'string', value: 'file', summary: 'write a drawing instead' },
    output: TEXT_OUTPUT_OPTION,
    ...CONNECTION_OPTIONS,
  },
  examples: [
    ['overland ipam map', 'every pool, in the terminal'],
    ['overland ipam map default --svg map.svg', 'one pool, for a page'],
  ],
  async handle(context, { pool: named, svg, config, output }) {
    const { usageOf } = await import('@overland/ipam');
    await using open = await openClient(context, { config });
    const pools = usageOf(await readSurvey(context, open.datastore));
    const chosen = pools.filter(
      ({ pool, cidr }) => named === undefined || named === pool || named === cidr,
    );
    if (named !== undefined && chosen.length === 0) {
      const known = pools.map(({ pool }) => pool).join(', ') || 'none';
      throw new UsageError(`there is no pool ${named}; there is: ${known}`);
    }
    if (chosen.length === 0) {
      throw new FailureError("there is no IP pool: create one with 'overland apply'");
    }
    const maps = chosen.map(blockMap);
    const { stdout, colours, workingDirectory } = context;
    if (svg !== undefined) {
      await writeFile(resolve(workingDirectory, svg), blockMapSvg(maps));
      stdout.write(`Drawn to ${svg}\n`);
    } else if (output === 'json') await writeOut(stdout, `${stringifyJson(chosen)}\n`);
    else for (const map of maps) await writeOut(stdout, blockMapText(map, colours));
    return 0;
  },
});
