import { connectAgent, reportingAgentErrors } from '../agent-connection.ts';
import { command, OUTPUT_OPTION } from '../command.ts';
import { nodeStatusText } from '../print-node-status.ts';

/** `node status [-o json]` - this host at a glance: datastore, peers, blocks, kernel, and what is wrong. */
export const nodeStatus = command({
  name: 'node status',
  summary: 'Show datastore, BGP peers, address blocks and kernel state of this host',
  options: {
    output: OUTPUT_OPTION,
    wait: {
      type: 'number',
      value: 'seconds',
      minimum: 1,
      maximum: 3600,
      summary: 'first wait until the agent has started; exit code 1 if it has not by then',
    },
  },
  examples: [
    ['overland node status', 'for a person'],
    ['overland node status --wait 30 -o json', 'for a script that has just started the agent'],
  ],
  handle: (context, { output, wait }) =>
    reportingAgentErrors(async () => {
      const agent = connectAgent(context);
      if (wait !== undefined) await agent.waitUntilReady(wait * 1000);
      const status = await agent.nodeStatus();
      const { stdout, colours } = context;
      stdout.write(
        output === 'json' ? `${JSON.stringify(status)}\n` : nodeStatusText(status, colours),
      );
      return 0;
    }),
});
