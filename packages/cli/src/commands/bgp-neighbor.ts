import type { NeighborDetail } from '@overland/bgp/node';
import { askHere, SOCKET_OPTION } from '../bgp/ask-speaker.ts';
import { neighborJson } from '../bgp/neighbor-json.ts';
import { neighborText } from '../bgp/neighbor-text.ts';
import { command, OUTPUT_OPTION } from '../command.ts';

/** `bgp neighbor X [-o json]` - all there is to say of one peer. */
export const bgpNeighbor = command({
  name: 'bgp neighbor',
  summary: "Show one peer in full, in FRR's words",
  description:
    'State, timers, capabilities of both sides, graceful restart, messages, prefixes, the last reset with its reason, TCP. Exit code 3 if there is no such peer.',
  arguments: { peer: { summary: 'name or address' } },
  options: { output: OUTPUT_OPTION, socket: SOCKET_OPTION },
  examples: [
    ['overland bgp neighbor 10.1.0.1', 'by address'],
    ['overland bgp neighbor spine1 -o json', "by name, with FRR's keys"],
  ],
  async handle(context, { peer, output, socket }) {
    const url = `/v1/bgp/neighbors?peer=${encodeURIComponent(peer)}`;
    const { neighbors } = await askHere<{ readonly neighbors: readonly NeighborDetail[] }>(
      context,
      socket,
      { url },
    );
    const { stdout, colours } = context;
    if (output === 'json') stdout.write(`${JSON.stringify(neighborJson(neighbors))}\n`);
    else stdout.write(neighbors.map((one) => neighborText(one, colours)).join('\n'));
    return 0;
  },
});
