import type { RoutePage } from '@overland/bgp';
import { askHere, SOCKET_OPTION } from '../bgp/ask-speaker.ts';
import { routeMember } from '../bgp/routes-json.ts';
import { RoutesText } from '../bgp/routes-text.ts';
import { type CommandContext, command, OUTPUT_OPTION, UsageError } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { writeOut } from '../write-out.ts';

/** Of the first rows, the widths of the columns; and what one answer holds at most. */
const PAGE = 500;

interface Filters {
  readonly prefix: string | undefined;
  readonly longer: boolean;
  readonly from: string | undefined;
  readonly received: boolean;
  readonly filtered: boolean;
  readonly advertised: string | undefined;
  readonly family: 'ipv4' | 'ipv6' | undefined;
}

/** `bgp routes [PREFIX]` - the routes of this host's speaker. */
export const bgpRoutes = command({
  name: 'bgp routes',
  summary: 'Show routes: chosen, received, refused or advertised',
  description: `Without PREFIX, all routes of a family by address, in FRR's columns. An address means the longest prefix that covers it. Paths that import rules refuse are shown with --received or
--filtered only. --advertised shows attributes as the peer gets them, after export filters; AS numbers are whole even where the peer reads two octets. Exit code 3 if PREFIX is given and there is no such route.`,
  arguments: { prefix: { summary: 'prefix, or an address in it', optional: true } },
  options: {
    longer: { type: 'boolean', summary: 'PREFIX and everything inside it' },
    from: { type: 'string', value: 'peer', summary: 'paths from this peer alone' },
    received: { type: 'boolean', summary: 'also paths that import rules refuse' },
    filtered: { type: 'boolean', summary: 'only paths that import rules refuse, and why' },
    advertised: { type: 'string', value: 'peer', summary: 'what this peer has from us' },
    family: {
      type: 'string',
      summary: 'address family; default: that of PREFIX, else ipv4',
      choices: ['ipv4', 'ipv6'],
    },
    output: OUTPUT_OPTION,
    socket: SOCKET_OPTION,
  },
  examples: [
    ['overland bgp routes --family ipv6', 'all of a family'],
    ['overland bgp routes 10.65.0.0/16 --longer', 'a pool and the blocks in it'],
    ['overland bgp routes --from spine1 --filtered', 'what was refused of a peer, and why'],
    ['overland bgp routes --advertised spine1 -o json', 'what a peer has from us'],
  ],
  async handle(context, { output, socket, ...filters }) {
    const first = parameters(filters);
    const found =
      output === 'json'
        ? await printJson(context, socket, first)
        : await printTable(context, socket, first);
    return found === 0 && filters.prefix !== undefined ? EXIT.notFound : EXIT.success;
  },
});

function parameters(filters: Filters): URLSearchParams {
  const { prefix, longer, from, received, filtered, advertised, family } = filters;
  if (longer && prefix === undefined) throw new UsageError('--longer needs a prefix');
  if (received && filtered) throw new UsageError('--received and --filtered exclude each other');
  if (advertised !== undefined && (from !== undefined || received || filtered)) {
    throw new UsageError('--advertised excludes --from, --received and --filtered');
  }
  const query = new URLSearchParams({ limit: String(PAGE) });
  query.set('paths', filtered ? 'refused' : received ? 'all' : 'accepted');
  if (prefix !== undefined) query.set('prefix', prefix);
  if (longer) query.set('match', 'longer');
  if (from !== undefined) query.set('from', from);
  if (advertised !== undefined) query.set('advertisedTo', advertised);
  if (family !== undefined) query.set('family', family);
  return query;
}

/** One page after the other, so that a million routes take no memory. */
async function* pages(
  context: CommandContext,
  socket: string | undefined,
  query: URLSearchParams,
): AsyncGenerator<RoutePage> {
  for (;;) {
    const page = await askHere<RoutePage>(context, socket, { url: `/v1/bgp/routes?${query}` });
    yield page;
    if (page.next === undefined || context.signal.aborted) return;
    query.set('after', page.next);
  }
}

/** @returns Prefixes printed. */
async function printTable(
  context: CommandContext,
  socket: string | undefined,
  query: URLSearchParams,
): Promise<number> {
  const text = new RoutesText(context.colours, query.get('paths') !== 'accepted');
  let count = 0;
  for await (const { routes } of pages(context, socket, query)) {
    count += routes.length;
    await writeOut(context.stdout, text.page(routes));
  }
  await writeOut(context.stdout, text.end());
  return count;
}

/** @returns Prefixes printed. */
async function printJson(
  context: CommandContext,
  socket: string | undefined,
  query: URLSearchParams,
): Promise<number> {
  const { stdout } = context;
  let count = 0;
  for await (const { routes } of pages(context, socket, query)) {
    // Not before there is an answer: a failure prints no half of an object.
    const lead = count === 0 && routes.length > 0 ? '{"routes":{\n' : '';
    const members = routes.map(routeMember).join(',\n');
    const comma = count > 0 && routes.length > 0 ? ',\n' : '';
    await writeOut(stdout, `${lead}${comma}${members}`);
    count += routes.length;
  }
  await writeOut(stdout, count === 0 ? '{"routes":{}}\n' : '\n}}\n');
  return count;
}
