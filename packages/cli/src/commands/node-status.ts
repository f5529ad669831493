import { connectAgent, reportingAgentErrors } from '../agent-connection.ts';
import { command, OUTPUT_OPTION } from '../command.ts';
import { nodeStatusText } from '../print-node-status.ts';

/** `node status [-o json]` - this host at a glance: datastore, peers, blocks, kernel, and what is wrong. */
export const nodeStatus = command({
  name: 'node status',
  summary: 'Show datastore, BGP peers, address blocks and kernel state of this host',
  options: { output: OUTPUT_OPTION },
  examples: [
    ['overland node status', 'for a person'],
    ['overland node status -o json', 'for a script'],
  ],
  handle: (context, { output }) =>
    reportingAgentErrors(async () => {
      const status = await connectAgent(context).nodeStatus();
      const { stdout, colours } = context;
      stdout.write(
        output === 'json' ? `${JSON.stringify(status)}\n` : nodeStatusText(status, colours),
      );
      return 0;
    }),
});
