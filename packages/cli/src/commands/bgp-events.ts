import type { EventPage } from '@overland/bgp/node';
import { askHere, SOCKET_OPTION } from '../bgp/ask-speaker.ts';
import { eventText } from '../bgp/event-text.ts';
import { type CommandContext, command, OUTPUT_OPTION } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { writeOut } from '../write-out.ts';

/** How long the speaker is to wait for an event, and how much longer it has for its answer, milliseconds. */
const WAIT_MS = 20_000;
const GRACE_MS = 10_000;

/** `bgp events [--follow] [--peer X]` - what happened to sessions, and what happens. */
export const bgpEvents = command({
  name: 'bgp events',
  summary: 'Show what happens to the sessions of this host',
  description: `Sessions that come and go, notifications in words, refreshes, prefix limits, BFD, restarts: the last 2048 events that the speaker remembers, and with --follow those that happen until
it is interrupted. A peer that cannot be reached is told again when the reason changes. -o json prints a line of JSON for each. Exit code 3 if there is no such peer.`,
  options: {
    follow: { type: 'boolean', short: 'f', summary: 'go on with what happens' },
    peer: { type: 'string', value: 'peer', summary: 'only of this peer, by name or address' },
    output: OUTPUT_OPTION,
    socket: SOCKET_OPTION,
  },
  examples: [
    ['overland bgp events --peer spine1', 'why did it go down?'],
    ['overland bgp events --follow -o json', 'a stream for a program'],
  ],
  async handle(context, { follow, peer, output, socket }) {
    const { stdout, stderr, colours, signal } = context;
    for await (const { events, lost } of pages(context, { follow, peer, socket })) {
      if (lost > 0) stderr.write(`${lost} events were forgotten before they could be shown\n`);
      const lines = events.map((event) =>
        output === 'json' ? `${JSON.stringify(event)}\n` : eventText(event, colours),
      );
      await writeOut(stdout, lines.join(''));
      if (signal.aborted) break;
    }
    return EXIT.success;
  },
});

async function* pages(
  context: CommandContext,
  {
    follow,
    peer,
    socket,
  }: { follow: boolean; peer: string | undefined; socket: string | undefined },
): AsyncGenerator<EventPage> {
  let waitMs = 0;
  for (let after = 0; ; ) {
    const query = new URLSearchParams({ after: String(after), waitMs: String(waitMs) });
    if (peer !== undefined) query.set('peer', peer);
    const url = `/v1/bgp/events?${query}`;
    const page = await ask(context, socket, { url, timeoutMs: waitMs + GRACE_MS });
    if (!page) return;
    yield page;
    const isAll = page.events.length === 0 || page.next === after;
    if (!follow && isAll) return;
    if (follow && isAll) waitMs = WAIT_MS;
    after = page.next;
  }
}

/** @returns `undefined`: interrupted. */
async function ask(
  context: CommandContext,
  socket: string | undefined,
  request: { readonly url: string; readonly timeoutMs: number },
): Promise<EventPage | undefined> {
  try {
    return await askHere<EventPage>(context, socket, request);
  } catch (error) {
    if (context.signal.aborted) return undefined;
    throw error;
  }
}
