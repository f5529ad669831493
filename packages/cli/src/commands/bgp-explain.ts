import type { ExplainedPeer, ExplainedRoute } from '@overland/bgp/node';
import { askHere, SOCKET_OPTION } from '../bgp/ask-speaker.ts';
import { explainPeerText } from '../bgp/explain-peer-text.ts';
import { explainText, fateText } from '../bgp/explain-text.ts';
import { peerFindings } from '../bgp/peer-findings.ts';
import { type CommandContext, command, OUTPUT_OPTION, UsageError } from '../command.ts';
import { EXIT } from '../exit-codes.ts';

/** A census looks at every prefix of both families, milliseconds. */
const CENSUS_TIMEOUT_MS = 30_000;

/** `bgp explain PREFIX [--to PEER]`, `bgp explain --peer PEER` - why a route, or a peer, is as it is. */
export const bgpExplain = command({
  name: 'bgp explain',
  summary: 'Say why a route was chosen, refused, sent or not, or why a peer has no routes',
  description: `Of a prefix: each path with the import rules that touched it, its next hop, what keeps it from being chosen; each step of the decision process with what it compared; with --to, whether the
peer gets it, which export rules touched it, and the attributes as sent. With --peer instead: how all routes from and to the peer fare, by reason, or why there are none. Exit code 3: there is no
path of the prefix (what covers it is named), or no such peer.`,
  arguments: { prefix: { summary: 'prefix, or an address in it', optional: true } },
  options: {
    to: { type: 'string', value: 'peer', summary: 'whether, and how, this peer gets the route' },
    peer: {
      type: 'string',
      value: 'peer',
      summary: 'all routes of this peer, by what becomes of them',
    },
    output: OUTPUT_OPTION,
    socket: SOCKET_OPTION,
  },
  examples: [
    ['overland bgp explain 10.65.0.0/26', 'why this path and not another one'],
    ['overland bgp explain 10.65.0.7 --to spine1', 'does the peer get it, and with what?'],
    ['overland bgp explain --peer spine1', 'why are there 0 prefixes?'],
  ],
  async handle(context, { prefix, to, peer, output, socket }) {
    const isJson = output === 'json';
    if (peer === undefined) {
      if (prefix === undefined) throw new UsageError('say a prefix, or --peer');
      return await explainPrefix(context, { prefix, to, socket, isJson });
    }
    if (prefix !== undefined || to !== undefined) {
      throw new UsageError('--peer is about all routes of a peer: no prefix and no --to with it');
    }
    return await explainPeer(context, { peer, socket, isJson });
  },
});

interface Printing {
  readonly socket: string | undefined;
  readonly isJson: boolean;
}

async function explainPrefix(
  context: CommandContext,
  { prefix, to, socket, isJson }: Printing & { prefix: string; to: string | undefined },
): Promise<number> {
  const query = new URLSearchParams({ prefix, ...(to !== undefined && { to }) });
  const url = `/v1/bgp/explain?${query}`;
  const explained = await askHere<ExplainedRoute>(context, socket, { url });
  const { route } = explained;
  context.stdout.write(
    isJson
      ? `${JSON.stringify(routeObject(explained))}\n`
      : explainText(explained, context.colours),
  );
  const isThere = route.paths.length > 0 || (route.export?.sent.length ?? 0) > 0;
  return isThere ? EXIT.success : EXIT.notFound;
}

/** The explanation as the speaker gives it, and in words why the peer has the route or not. */
function routeObject({ route, to }: ExplainedRoute): unknown {
  if (!route.export || !to) return route;
  const reason = fateText(route, route.export, to);
  return { ...route, export: { peer: to.name, reason, ...route.export } };
}

async function explainPeer(
  { stdout, colours, ...context }: CommandContext,
  { peer, socket, isJson }: Printing & { peer: string },
): Promise<number> {
  const { peers } = await askHere<{ readonly peers: readonly ExplainedPeer[] }>(context, socket, {
    url: `/v1/bgp/explain-peer?${new URLSearchParams({ peer })}`,
    timeoutMs: CENSUS_TIMEOUT_MS,
  });
  if (isJson) stdout.write(`${JSON.stringify({ peers: peers.map(peerObject) })}\n`);
  else stdout.write(peers.map((one) => explainPeerText(one, colours)).join('\n'));
  return EXIT.success;
}

function peerObject(explained: ExplainedPeer): unknown {
  const { name, address, state, lastError } = explained.neighbor;
  const { census, deferring } = explained;
  return { name, address, state, lastError, deferring, census, findings: peerFindings(explained) };
}
