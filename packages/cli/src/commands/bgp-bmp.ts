import type { BmpStationView } from '@overland/bgp/node';
import { askHere, SOCKET_OPTION } from '../bgp/ask-speaker.ts';
import { command, OUTPUT_OPTION } from '../command.ts';
import { type Column, formatTable } from '../table.ts';

/** `bgp bmp` - the BMP stations that the speaker of this host tells what is in its RIBs. */
export const bgpBmp = command({
  name: 'bgp bmp',
  summary: 'Show the BMP stations of the speaker, and how they fare',
  description:
    "Stations are told what is in the RIBs: BMP, RFC 7854. 'bmp' in the speaker file names them. Exit code 1 if one of them is not up.",
  options: { output: OUTPUT_OPTION, socket: SOCKET_OPTION },
  examples: [
    ['overland bgp bmp', 'is everybody told?'],
    ['overland bgp bmp -o json', 'for a script'],
  ],
  async handle(context, { output, socket }) {
    const { stations } = await askHere<{ readonly stations: readonly BmpStationView[] }>(
      context,
      socket,
      { url: '/v1/bgp/stations' },
    );
    const text = output === 'json' ? `${JSON.stringify({ stations })}\n` : stationsText(stations);
    context.stdout.write(text);
    return stations.every(({ state }) => state === 'up') ? 0 : 1;
  },
});

function stationsText(stations: readonly BmpStationView[]): string {
  if (stations.length === 0) return 'no BMP station is configured\n';
  const failed = stations
    .filter(({ lastError }) => lastError !== null)
    .map(({ address, port, lastError }) => `${address} port ${port}: ${lastError}\n`);
  return [formatTable(COLUMNS, stations), ...(failed.length > 0 ? ['\n'] : []), ...failed].join('');
}

const COLUMNS: readonly Column<BmpStationView>[] = [
  { title: 'Station', cell: ({ address }) => address },
  { title: 'Port', cell: ({ port }) => port, align: 'right' },
  { title: 'State', cell: ({ state }) => state },
  { title: 'RIBs', cell: ({ ribs }) => ribs.join(', ') },
  { title: 'MsgSent', cell: ({ messagesSent }) => messagesSent, align: 'right' },
  { title: 'Up', cell: ({ timesUp }) => timesUp, align: 'right' },
];
