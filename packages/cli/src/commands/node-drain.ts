import { setTimeout as delay } from 'node:timers/promises';
import { askHere, SOCKET_OPTION } from '../bgp/ask-speaker.ts';
import { type Drain, drainRequest, drainText } from '../bgp/drain.ts';
import { command, OUTPUT_OPTION } from '../command.ts';
import { showProgress } from '../progress.ts';

const WAIT_SECONDS = 10;

/** `node drain` - moves traffic away from this host or router, and then ends its sessions. */
export const nodeDrain = command({
  name: 'node drain',
  summary: 'Move traffic elsewhere, then end the BGP sessions of this host or router',
  description: `All routes, to and from every peer, first become the last choice of both sides (GRACEFUL_SHUTDOWN, RFC 8326), and peers that have another path take it. After the wait the sessions end with
Cease/Administrative Shutdown, as Hard Reset where RFC 8538 was negotiated, and stay down: until 'overland node undrain', or until the agent (or 'bgp run') is started anew. What only this host can reach, such as
the addresses of its containers, is cut off then. Interrupted in the wait, it leaves the routes the last choice.`,
  options: {
    wait: {
      type: 'number',
      value: 'seconds',
      minimum: 0,
      maximum: 3600,
      summary: `how long the peers may take to move traffic; default: ${WAIT_SECONDS}`,
    },
    output: OUTPUT_OPTION,
    socket: SOCKET_OPTION,
  },
  examples: [
    ['overland node drain', 'before a host or a router is switched off'],
    ['overland node drain --wait 60', 'where peers take longer'],
  ],
  async handle(context, { wait = WAIT_SECONDS, output, socket }) {
    const ask = (phase: Drain['phase']) => askHere<Drain>(context, socket, drainRequest(phase));
    {
      using progress = showProgress(context);
      await ask('draining');
      progress.say(`routes are the last choice of the peers; sessions end in ${wait} s`);
      await delay(wait * 1000, undefined, { signal: context.signal });
    }
    const drain = await ask('drained');
    context.stdout.write(`${output === 'json' ? JSON.stringify(drain) : drainText(drain)}\n`);
    return 0;
  },
});
