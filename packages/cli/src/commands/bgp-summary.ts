import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { askForSummary, ControlSocketError, DEFAULT_CONTROL_SOCKET } from '@overland/bgp/node';
import { isForRootOnly } from '../agent-connection.ts';
import { summaryJson } from '../bgp/summary-json.ts';
import { summaryText } from '../bgp/summary-text.ts';
import { command, FailureError, OUTPUT_OPTION, UsageError } from '../command.ts';

const AGENT_SOCKET = '/run/overland/agent.sock';

/** `bgp summary [-o json]` - the sessions of this host's speaker: the agent's, or that of `bgp run`. */
export const bgpSummary = command({
  name: 'bgp summary',
  summary: 'Show the BGP sessions of this host in the columns of FRR',
  options: {
    output: OUTPUT_OPTION,
    socket: {
      type: 'string',
      value: 'path',
      summary: `control socket; default: that of the agent, else ${DEFAULT_CONTROL_SOCKET}`,
    },
    check: { type: 'boolean', summary: 'exit with 1 unless every session is established' },
  },
  examples: [
    ['overland bgp summary', 'every peer, each address family'],
    ['overland bgp summary --check -o json', 'for a script'],
  ],
  async handle({ stdout, workingDirectory, colours }, { output, socket, check }) {
    const path = socket === undefined ? presentSocket() : resolve(workingDirectory, socket);
    const summary = await askForSummary(path).catch((error: unknown) => {
      if (!(error instanceof ControlSocketError)) throw error;
      if (isForRootOnly(error)) throw new UsageError(`${path} may be used by root only`);
      throw new FailureError(error.message);
    });
    if (output === 'json') stdout.write(`${JSON.stringify(summaryJson(summary))}\n`);
    else stdout.write(summaryText(summary, colours));
    return check && summary.peers.some(({ state }) => state !== 'Established') ? 1 : 0;
  },
});

function presentSocket(): string {
  const isStandalone = !existsSync(AGENT_SOCKET) && existsSync(DEFAULT_CONTROL_SOCKET);
  return isStandalone ? DEFAULT_CONTROL_SOCKET : AGENT_SOCKET;
}
