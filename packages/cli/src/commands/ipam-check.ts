import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { command } from '../command.ts';
import { CONNECTION_OPTIONS } from '../datastore/connection-options.ts';
import { openClient } from '../datastore/open-client.ts';
import { checkReport } from '../ipam/check-report.ts';
import { readSurvey } from '../ipam/read-survey.ts';
import { reportedCluster } from '../ipam/reported-cluster.ts';

/** `ipam check [--show-problem-ips] [-o FILE]` - exit code 1 if anything is wrong. */
export const ipamCheck = command({
  name: 'ipam check',
  summary: 'Find addresses, blocks and handles that are not as they should be',
  description:
    'Reads everything at one moment, from the datastore alone. Changes nothing: what an agent may repair it repairs by itself after 15 minutes; the rest is for overland ipam release. Exit code 1 if there is a problem.',
  options: {
    showProblemIps: { type: 'boolean', summary: 'a line for each problem, not only their number' },
    output: {
      type: 'string',
      short: 'o',
      value: 'file',
      summary: "write a report, for ipam release; 'json' prints it instead",
    },
    ...CONNECTION_OPTIONS,
  },
  examples: [
    ['overland ipam check --show-problem-ips', 'what is wrong, line by line'],
    ['overland ipam check -o report.json', 'a report to release from'],
    ['overland ipam check -o json', 'for a script'],
  ],
  async handle(context, { config, output, showProblemIps }) {
    const { describeFinding, findingsOf, usageOf } = await import('@overland/ipam');
    await using open = await openClient(context, { config });
    const survey = await readSurvey(context, open.datastore);
    const findings = findingsOf(survey);
    const report = checkReport(await reportedCluster(open), survey, findings, describeFinding);
    const code = findings.length === 0 ? 0 : 1;
    const json = `${JSON.stringify(report, null, 2)}\n`;
    if (output === 'json') {
      context.stdout.write(json);
      return code;
    }
    const used = usageOf(survey).reduce((sum, { inUse }) => sum + inUse, 0);
    const { stdout } = context;
    stdout.write(
      `${survey.pools.length} pools, ${survey.nodes.size} nodes, ${survey.blocks.length} blocks, ${survey.handles.length} handles; ${used} addresses in use\n`,
    );
    for (const [type, ofType] of Map.groupBy(findings, ({ type: each }) => each)) {
      stdout.write(`${ofType.length} ${type}\n`);
      if (showProblemIps) for (const each of ofType) stdout.write(`  ${describeFinding(each)}\n`);
    }
    if (findings.length === 0) stdout.write('Everything is as it should be\n');
    else if (!showProblemIps) stdout.write('See each with --show-problem-ips\n');
    if (output !== undefined) {
      await writeFile(resolve(context.workingDirectory, output), json, { mode: 0o600 });
      stdout.write(`Report written to ${output}\n`);
    }
    return code;
  },
});
