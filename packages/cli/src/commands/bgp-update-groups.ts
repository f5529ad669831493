import type { NamedUpdateGroup } from '@overland/bgp/node';
import { askHere, SOCKET_OPTION } from '../bgp/ask-speaker.ts';
import { updateGroupsText } from '../bgp/update-groups-text.ts';
import { command, OUTPUT_OPTION } from '../command.ts';
import { EXIT } from '../exit-codes.ts';

/** `bgp update-groups` - which peers share their packets, and which settings keep others from it. */
export const bgpUpdateGroups = command({
  name: 'bgp update-groups',
  summary: 'Show which peers are sent the same, and what sets them apart',
  description:
    'Peers of one group have one policy: routes are judged and encoded once for all of them. Each is shown with what it has and what it is yet to be told; a slow one holds up nobody.',
  options: { output: OUTPUT_OPTION, socket: SOCKET_OPTION },
  examples: [
    ['overland bgp update-groups', 'who shares with whom?'],
    ['overland bgp update-groups -o json', 'every setting of every group'],
  ],
  async handle(context, { output, socket }) {
    const url = '/v1/bgp/update-groups';
    const { groups } = await askHere<{ readonly groups: readonly NamedUpdateGroup[] }>(
      context,
      socket,
      { url },
    );
    const { stdout, colours } = context;
    if (output === 'json') stdout.write(`${JSON.stringify({ groups })}\n`);
    else stdout.write(updateGroupsText(groups, colours));
    return EXIT.success;
  },
});
