import { createInterface } from 'node:readline';
import { type DescribedMessage, describeMessage } from '@overland/bgp/describe';
import { decodeMrtFile } from '../bgp/decode-mrt-file.ts';
import {
  describeContextOf,
  messagesOf,
  octetsOf,
  parseRequestLine,
} from '../bgp/decode-request.ts';
import { type CommandContext, command, UsageError } from '../command.ts';

/** The largest message in hexadecimal, and room for the rest of its line. */
const MAX_LINE_CHARACTERS = 2 * 65_535 + 1024;

/** `bgp decode HEX…` - what a BGP message says, and what it would cost a session that receives it. */
export const bgpDecode = command({
  name: 'bgp decode',
  summary: 'Print BGP messages as JSON, with what they would cost the session',
  description: `A message is whole, with its header; several may follow each other. 'verdict' is ok, attribute-discard, treat-as-withdraw (RFC 7606) or session-reset, then with the
NOTIFICATION that would be sent. Exit code 0 if every message is ok, else 1.

With - instead of messages, each line of standard input is an object {"hex", "asn4", "addPath", "session", "extended", "extendedNextHop"},
of which only hex is needed, and is answered by one line.

With --mrt, the records of an MRT file are printed, a line each: table dumps (TABLE_DUMP_V2) and recorded messages (BGP4MP, BGP4MP_ET). Records of other kinds are
named by their numbers. Exit code 1 if the file is broken.`,
  arguments: { hex: { summary: 'messages in hexadecimal, or -', variadic: true, optional: true } },
  options: {
    mrt: {
      type: 'string',
      value: 'file',
      summary: 'an MRT file (RFC 6396) instead; - is standard input',
    },
    asn2: { type: 'boolean', summary: 'AS numbers of two octets: one side is an old speaker' },
    addPath: {
      type: 'list',
      value: 'family',
      summary: 'prefixes of ipv4 or ipv6 have path identifiers (RFC 7911); may be repeated',
    },
    ibgp: { type: 'boolean', summary: 'from a peer of our own AS' },
    ebgp: { type: 'boolean', summary: 'from a peer of another AS (the default)' },
    extended: { type: 'boolean', summary: 'messages of up to 65535 octets (RFC 8654)' },
    extendedNextHop: {
      type: 'boolean',
      summary: 'IPv4 prefixes may have IPv6 next hops (RFC 8950)',
    },
  },
  examples: [
    ['overland bgp decode ffffffffffffffffffffffffffffffff001304', 'a KEEPALIVE'],
    ['overland bgp decode --ibgp - < messages.ndjson', 'many, a line each'],
    ['overland bgp decode --mrt rib.mrt', 'what overland bgp dump mrt or a collector wrote'],
  ],
  async handle(context, { hex, mrt, asn2, addPath, ibgp, ebgp, extended, extendedNextHop }) {
    if ((mrt === undefined) === (hex.length === 0)) {
      throw new UsageError('say which messages, or --mrt FILE, and not both');
    }
    if (mrt !== undefined) return await decodeMrtFile(context, mrt);
    if (ibgp && ebgp) throw new UsageError('--ibgp and --ebgp exclude each other');
    const session = ibgp ? 'ibgp' : 'ebgp';
    const traits = { asn4: !asn2, addPath, session, extended, extendedNextHop };
    if (hex.length === 1 && hex[0] === '-') return decodeLines(context, traits);
    const describe = describeContextOf(traits);
    const messages = hex
      .flatMap((text) => messagesOf(octetsOf(text)))
      .map((octets) => describeMessage(octets, describe));
    for (const message of messages) {
      context.stdout.write(`${JSON.stringify(message, undefined, 2)}\n`);
    }
    return messages.every(isOk) ? 0 : 1;
  },
});

/** @param traits Of messages whose line does not say. */
async function decodeLines(
  { stdin, stdout, signal }: CommandContext,
  traits: Parameters<typeof describeContextOf>[0],
): Promise<number> {
  let worst = 0;
  for await (const line of createInterface({ input: stdin, signal })) {
    if (line.trim() === '') continue;
    const answer = answerTo(line, traits);
    if ('error' in answer) worst = 2;
    else if (!isOk(answer)) worst = Math.max(worst, 1);
    stdout.write(`${JSON.stringify(answer)}\n`);
  }
  return worst;
}

function answerTo(
  line: string,
  traits: Parameters<typeof describeContextOf>[0],
): DescribedMessage | { readonly error: string } {
  try {
    if (line.length > MAX_LINE_CHARACTERS) {
      throw new UsageError(`${line.length} characters are more than ${MAX_LINE_CHARACTERS}`);
    }
    const { octets, context } = parseRequestLine(line, traits);
    return describeMessage(octets, context);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return { error: error.message };
  }
}

function isOk({ verdict }: DescribedMessage): boolean {
  return verdict === 'ok';
}
