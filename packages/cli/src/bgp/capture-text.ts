import { type DescribedMessage, describeMessage } from '@overland/bgp/describe';
import type { CaptureRecord } from '@overland/bgp/node';
import type { Colours } from '../colours.ts';

const HEADER_OCTETS = 19;
const MARKER = Buffer.alloc(16, 0xff);
/** AS numbers of two octets are read as wrongly as it takes: only what a line shows must be right. */
const CONTEXT = {
  fourOctetAs: true,
  ebgp: true,
  families: ['ipv4', 'ipv6'],
  extended: true,
} as const;

/** A capture as a line for each message. It may begin within a message, which is passed over. */
export class CaptureText {
  readonly #colours: Colours;
  /** By connection and direction, what is not yet a whole message. */
  readonly #rest = new Map<string, Buffer>();

  constructor(colours: Colours) {
    this.#colours = colours;
  }

  lines(record: CaptureRecord): string {
    const { direction, stream, timeMicros } = record;
    const key = `${direction} ${stream.local.port} ${stream.remote.port}`;
    const octets = Buffer.from(record.octets, 'base64');
    let rest = Buffer.concat([this.#rest.get(key) ?? Buffer.alloc(0), octets]);
    const lines: string[] = [];
    for (;;) {
      rest = rest.subarray(toMarker(rest));
      const length = rest.length < HEADER_OCTETS ? HEADER_OCTETS : rest.readUInt16BE(16);
      if (rest.length < Math.max(length, HEADER_OCTETS)) break;
      const message = rest.subarray(0, Math.max(length, HEADER_OCTETS));
      rest = rest.subarray(message.length);
      lines.push(this.#line(timeMicros, direction, describeMessage(message, CONTEXT)));
    }
    this.#rest.set(key, rest);
    return lines.join('');
  }

  #line(timeMicros: number, direction: CaptureRecord['direction'], message: DescribedMessage) {
    const time = new Date(timeMicros / 1000).toISOString();
    const way = direction === 'sent' ? 'sent    ' : 'received';
    const { type, length } = message;
    const brief = briefOf(message);
    const what = `${type.toUpperCase()} ${length} octets${brief === '' ? '' : `: ${brief}`}`;
    return `${this.#colours.dim(time)}  ${way}  ${what}\n`;
  }
}

/** Where the next message begins, or may begin. */
function toMarker(octets: Buffer): number {
  const found = octets.indexOf(MARKER);
  return found >= 0 ? found : Math.max(0, octets.length - MARKER.length + 1);
}

function briefOf({ type, open, update, says, family, refresh, reason }: DescribedMessage): string {
  if (open) return `AS ${open.asn}, hold time ${open.holdSeconds}, identifier ${open.routerId}`;
  if (says) return `${says.name} (${says.code}/${says.subcode})`;
  if (type === 'route-refresh') return `${refresh ?? 'unknown'} ${family ?? ''}`.trimEnd();
  if (!update) return reason ?? '';
  if (update.endOfRib) return `End-of-RIB ${update.endOfRib}`;
  const reach = update.attributes.map(({ value }) => prefixesOf(value));
  const [announced, withdrawn] = [update.announced.length, update.withdrawn.length];
  const more = (code: number): number =>
    update.attributes.reduce((sum, one, i) => sum + (one.code === code ? (reach[i] ?? 0) : 0), 0);
  return `${announced + more(14)} announced, ${withdrawn + more(15)} withdrawn`;
}

/** Prefixes of MP_REACH_NLRI or MP_UNREACH_NLRI. */
function prefixesOf(value: unknown): number {
  const { prefixes } = (typeof value === 'object' && value !== null ? value : {}) as {
    readonly prefixes?: readonly unknown[];
  };
  return prefixes?.length ?? 0;
}
