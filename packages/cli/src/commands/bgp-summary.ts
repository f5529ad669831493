import type { SpeakerSummary } from '@overland/bgp/node';
import { askHere, SOCKET_OPTION } from '../bgp/ask-speaker.ts';
import { summaryJson } from '../bgp/summary-json.ts';
import { summaryText } from '../bgp/summary-text.ts';
import { command, OUTPUT_OPTION } from '../command.ts';

/** `bgp summary [-o json]` - the sessions of this host's speaker: the agent's, or that of `bgp run`. */
export const bgpSummary = command({
  name: 'bgp summary',
  summary: 'Show the BGP sessions of this host in the columns of FRR',
  options: {
    output: OUTPUT_OPTION,
    socket: SOCKET_OPTION,
    check: { type: 'boolean', summary: 'exit with 1 unless every session is established' },
  },
  examples: [
    ['overland bgp summary', 'every peer, each address family'],
    ['overland bgp summary --check -o json', 'for a script'],
  ],
  async handle(context, { output, socket, check }) {
    const { stdout, colours } = context;
    const summary = await askHere<SpeakerSummary>(context, socket, { url: '/v1/bgp/summary' });
    if (output === 'json') stdout.write(`${JSON.stringify(summaryJson(summary))}\n`);
    else stdout.write(summaryText(summary, colours));
    return check && summary.peers.some(({ state }) => state !== 'Established') ? 1 : 0;
  },
});
