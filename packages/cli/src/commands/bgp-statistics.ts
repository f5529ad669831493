import type { SpeakerStatistics } from '@overland/bgp/node';
import { askHere, SOCKET_OPTION } from '../bgp/ask-speaker.ts';
import { statisticsText } from '../bgp/statistics-text.ts';
import { command, OUTPUT_OPTION } from '../command.ts';
import { EXIT } from '../exit-codes.ts';

/** `bgp statistics` - what the speaker has done, what it holds, and what waits. */
export const bgpStatistics = command({
  name: 'bgp statistics',
  summary: "Show counts, queues, tables and times of this host's speaker",
  description:
    'Sessions by state, messages by type, notifications in words, what was refused by reason and rule, decisions, tables, queues, time to converge, delay of the event loop, memory. The same numbers are on /metrics.',
  options: { output: OUTPUT_OPTION, socket: SOCKET_OPTION },
  examples: [
    ['overland bgp statistics', 'is it behind?'],
    ['overland bgp statistics -o json', 'for a script'],
  ],
  async handle(context, { output, socket }) {
    const url = '/v1/bgp/statistics';
    const statistics = await askHere<SpeakerStatistics>(context, socket, { url });
    const { stdout, colours } = context;
    if (output === 'json') stdout.write(`${JSON.stringify(statistics)}\n`);
    else stdout.write(statisticsText(statistics, colours));
    return EXIT.success;
  },
});
