import { askHere, SOCKET_OPTION } from '../bgp/ask-speaker.ts';
import { type Drain, drainRequest, drainText } from '../bgp/drain.ts';
import { command, OUTPUT_OPTION } from '../command.ts';

/** `node undrain` - back into service after `node drain`. */
export const nodeUndrain = command({
  name: 'node undrain',
  summary: 'Open the BGP sessions of this host or router again, after node drain',
  options: { output: OUTPUT_OPTION, socket: SOCKET_OPTION },
  examples: [
    ['overland node undrain', 'after maintenance'],
    ['overland node undrain --socket /run/overland/bgp.sock', 'of a router that runs bgp run'],
  ],
  async handle(context, { output, socket }) {
    const drain = await askHere<Drain>(context, socket, drainRequest('active'));
    context.stdout.write(`${output === 'json' ? JSON.stringify(drain) : drainText(drain)}\n`);
    return 0;
  },
});
