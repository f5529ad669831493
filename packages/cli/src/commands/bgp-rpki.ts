import type { OriginAnswer, RpkiStatus, VrpPage } from '@overland/bgp/node';
import { isAddress, ParseError, type Prefix, parseAsn, parsePrefix } from '@overland/net';
import { askHere, SOCKET_OPTION } from '../bgp/ask-speaker.ts';
import { rpkiStatusText, vrpLine } from '../bgp/rpki-text.ts';
import { type CommandContext, command, OUTPUT_OPTION, UsageError } from '../command.ts';
import { EXIT } from '../exit-codes.ts';

const PAGE = 1000;

/** `bgp rpki [status|table|check]` - caches, VRPs, and the verdict on a route. */
export const bgpRpki = command({
  name: 'bgp rpki',
  summary: 'Show what is known of route origins: caches, VRPs, a verdict',
  description: `Route origins are validated (RFC 6811) by what RPKI caches tell (RFC 8210): 'rpki' in the speaker file names the caches, and conditions 'rpki' in filters use the verdicts.

'status' (the default) shows the caches; 'table' the VRPs, with PREFIX those that cover it or lie in it; 'check PREFIX ASN' says what a route would be, and why: exit code 1 if it
is invalid.`,
  arguments: {
    what: { summary: 'to show', choices: ['status', 'table', 'check'], optional: true },
    prefix: { summary: 'with table and check', optional: true },
    asn: { summary: 'origin of the route, with check', optional: true },
  },
  options: { output: OUTPUT_OPTION, socket: SOCKET_OPTION },
  examples: [
    ['overland bgp rpki', 'which cache is in use, and what it has told'],
    ['overland bgp rpki check 192.0.2.0/24 64500', 'may this AS originate this prefix?'],
  ],
  async handle(context, { what = 'status', prefix, asn, output, socket }) {
    const isJson = output === 'json';
    const { stdout } = context;
    if (what === 'check') {
      const answer = await check(context, socket, prefix, asn);
      stdout.write(isJson ? `${JSON.stringify(answer)}\n` : verdictText(answer));
      return answer.state === 'invalid' ? EXIT.failure : EXIT.success;
    }
    if (asn !== undefined) throw new UsageError('an AS number is for check');
    if (what === 'table') {
      const wanted = prefix === undefined ? undefined : prefixOf(prefix);
      for await (const page of pages(context, socket, wanted)) {
        for (const vrp of page) stdout.write(isJson ? `${JSON.stringify(vrp)}\n` : vrpLine(vrp));
      }
      return EXIT.success;
    }
    if (prefix !== undefined) throw new UsageError('a prefix is for table and check');
    const status = await askHere<RpkiStatus>(context, socket, { url: '/v1/bgp/rpki' });
    stdout.write(isJson ? `${JSON.stringify(status)}\n` : rpkiStatusText(status));
    return EXIT.success;
  },
});

async function check(
  context: CommandContext,
  socket: string | undefined,
  prefix: string | undefined,
  asn: string | undefined,
): Promise<OriginAnswer> {
  if (prefix === undefined || asn === undefined) {
    throw new UsageError('check needs a prefix and an AS number');
  }
  const query = new URLSearchParams({ prefix: prefixOf(prefix), asn: `${asnOf(asn)}` });
  return await askHere<OriginAnswer>(context, socket, { url: `/v1/bgp/rpki/check?${query}` });
}

async function* pages(
  context: CommandContext,
  socket: string | undefined,
  prefix: Prefix | undefined,
): AsyncGenerator<VrpPage['vrps']> {
  const query = new URLSearchParams({ limit: `${PAGE}`, ...(prefix !== undefined && { prefix }) });
  for (;;) {
    const url = `/v1/bgp/rpki/vrps?${query}`;
    const { vrps, next } = await askHere<VrpPage>(context, socket, { url });
    yield vrps;
    if (next === null) return;
    query.set('after', next);
  }
}

function verdictText({ state, covering }: OriginAnswer): string {
  const lines = covering.map((vrp) => `  ${vrpLine(vrp)}`);
  return `${state}\n${lines.join('')}`;
}

function prefixOf(text: string): Prefix {
  const isHost = isAddress(text);
  return parsed(() => parsePrefix(isHost ? `${text}/${text.includes(':') ? 128 : 32}` : text));
}

function asnOf(text: string): number {
  return parsed(() => parseAsn(text.replace(/^AS/i, '')));
}

function parsed<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    throw new UsageError(error.message);
  }
}
