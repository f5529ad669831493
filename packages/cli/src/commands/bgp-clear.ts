import type { ClearedPeer } from '@overland/bgp/node';
import { askHere, SOCKET_OPTION } from '../bgp/ask-speaker.ts';
import { FAMILY_TITLES } from '../bgp/peer-state.ts';
import { command, OUTPUT_OPTION, UsageError } from '../command.ts';
import { EXIT } from '../exit-codes.ts';

/** `bgp clear X [soft [in|out]]` - begins a session anew, or only its routes. */
export const bgpClear = command({
  name: 'bgp clear',
  summary: 'Reset a session, or exchange its routes again',
  description: `Without more, the session ends with Cease/Administrative Reset and is opened again; a peer that knows RFC 8538 keeps our routes meanwhile. 'soft in' asks for the peer's routes
again (route refresh), 'soft out' sends ours, 'soft' does both: no session ends. A change of filters needs none of them. Exit code 1 if it could not be done, 3 if there is no such peer.`,
  arguments: {
    peer: { summary: 'name or address' },
    soft: { summary: 'only the routes', optional: true, choices: ['soft'] },
    direction: { summary: 'of the routes', optional: true, choices: ['in', 'out'] },
  },
  options: { output: OUTPUT_OPTION, socket: SOCKET_OPTION },
  examples: [
    ['overland bgp clear spine1', 'end the session, and begin anew'],
    ['overland bgp clear 10.1.0.1 soft out', 'send our routes again'],
  ],
  async handle(context, { peer, soft, direction, output, socket }) {
    if (direction !== undefined && soft === undefined)
      throw new UsageError('say soft in or soft out');
    const kind = soft === undefined ? 'hard' : (direction ?? 'soft');
    const query = new URLSearchParams({ peer, kind });
    const { cleared } = await askHere<{ readonly cleared: readonly ClearedPeer[] }>(
      context,
      socket,
      { method: 'POST', url: `/v1/bgp/clear?${query}` },
    );
    const text = cleared.map(sentence).join('');
    context.stdout.write(output === 'json' ? `${JSON.stringify({ cleared })}\n` : text);
    return cleared.some(({ failure }) => failure !== null) ? EXIT.failure : EXIT.success;
  },
});

function sentence({ name, reset, requested, sent, failure }: ClearedPeer): string {
  const families = (list: ClearedPeer['sent']): string =>
    list.map((family) => FAMILY_TITLES[family]).join(', ');
  const done = [
    ...(reset ? ['session reset'] : []),
    ...(requested.length > 0 ? [`asked for ${families(requested)} again`] : []),
    ...(sent.length > 0 ? [`sending ${families(sent)} again`] : []),
    ...(failure === null ? [] : [failure]),
  ];
  return `${name}: ${done.join('; ')}\n`;
}
