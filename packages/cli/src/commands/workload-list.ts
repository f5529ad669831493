import type { ListedWorkload } from '@overland/agent/client';
import { connectAgent, reportingAgentErrors } from '../agent-connection.ts';
import { command, OUTPUT_OPTION } from '../command.ts';
import { type Column, formatTable } from '../table.ts';

const COLUMNS: readonly Column<ListedWorkload>[] = [
  { title: 'NAME', cell: ({ name }) => name },
  { title: 'STATE', cell: ({ state }) => state },
  { title: 'ADDRESSES', cell: ({ addresses }) => addresses.join(' ') },
  { title: 'INTERFACE', cell: ({ hostInterface }) => hostInterface },
  { title: 'NETWORK NAMESPACE', cell: ({ namespacePath }) => namespacePath },
];

/** `workload list [-o json]` - the containers that this host's agent has attached. */
export const workloadList = command({
  name: 'workload list',
  summary: "Show this host's workloads",
  options: { output: OUTPUT_OPTION },
  examples: [
    ['overland workload list', 'for a person'],
    ['overland workload list -o json', 'for a script'],
  ],
  handle: (context, { output }) =>
    reportingAgentErrors(async () => {
      const workloads = (await connectAgent(context).workloads()).toSorted((a, b) =>
        a.name < b.name ? -1 : 1,
      );
      const { stdout, colours } = context;
      if (output === 'json') stdout.write(`${JSON.stringify(workloads)}\n`);
      else stdout.write(formatTable(COLUMNS, workloads, colours.bold));
      return 0;
    }),
});
