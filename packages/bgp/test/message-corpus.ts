import { encodeKeepalive, encodeMessage, MessageType } from '../src/core/wire/header.ts';
import { encodeNotification } from '../src/core/wire/notification.ts';
import { encodeRouteRefresh } from '../src/core/wire/route-refresh.ts';
import { theirOpen } from './machine-script.ts';
import { endOfRibOctets, updateOctets } from './update-octets.ts';
import incidents from './vectors/incidents.json' with { type: 'json' };
import opens from './vectors/open.json' with { type: 'json' };
import updates from './vectors/update.json' with { type: 'json' };

/** The octets that a vector writes as hexadecimal, with spaces or without. */
export function octetsOf(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex.replaceAll(/\s/g, ''), 'hex'));
}

const vector =
  (type: number) =>
  ({ hex }: { readonly hex: string }): Uint8Array =>
    encodeMessage(type, octetsOf(hex));

const ordinary = [
  updateOctets({ announce: ['10.65.0.0/26', '10.66.0.0/16'], asPath: [65011], med: 5 }),
  updateOctets({ announce: ['0.0.0.0/0'], asPath: [65011, 65002], communities: [0xffff_ff01] }),
  updateOctets({ withdraw: ['10.65.0.0/26'] }),
  updateOctets({ announce: ['fd00:1::/64'], asPath: [65011], nextHop: 'fd00::1' }),
  updateOctets({ withdraw: ['fd00:1::/64'] }),
  endOfRibOctets('ipv4'),
  endOfRibOctets('ipv6'),
];

const ordinaryMessages = [
  ...ordinary.map((body) => encodeMessage(MessageType.Update, body)),
  ...updates.valid.map(vector(MessageType.Update)),
  encodeKeepalive(),
  ...(['request', 'begin', 'end'] as const).map((kind) =>
    encodeRouteRefresh({ kind, family: 'ipv4' }),
  ),
];

/**
 * Whole messages, valid and not, with their headers: what mutations begin with. Those that a session survives are there five
 * times, for others to have an effect on.
 */
export const CORPUS: readonly Uint8Array[] = [
  ...Array.from({ length: 5 }, () => ordinaryMessages).flat(),
  ...updates.invalid.map(vector(MessageType.Update)),
  ...[...opens.valid, ...opens.invalid].map(vector(MessageType.Open)),
  ...incidents.updates.map(vector(MessageType.Update)),
  ...incidents.opens.map(vector(MessageType.Open)),
  encodeMessage(MessageType.Open, theirOpen({ restart: 'ipv4! ipv6' })),
  encodeNotification({ code: 6, subcode: 2, data: Uint8Array.of(3, 98, 121, 101) }),
  encodeNotification({ code: 6, subcode: 9, data: Uint8Array.of(6, 4) }),
];

const [LLGR_STALE, NO_LLGR] = [0xffff_0006, 0xffff_0007];

const identified = [
  { announce: ['10.65.0.0/26', '10.65.0.0/26'], pathIds: [1, 2], asPath: [65011] },
  { announce: ['10.65.0.0/26', '10.66.0.0/16'], pathIds: [2, 3], asPath: [65011, 65012] },
  { announce: ['10.65.0.0/26'], pathIds: [1], asPath: [65011], communities: [LLGR_STALE] },
  { announce: ['10.67.0.0/26'], pathIds: [0], asPath: [65011], communities: [NO_LLGR] },
  { withdraw: ['10.65.0.0/26', '10.66.0.0/16'], pathIds: [2, 9] },
  {
    announce: ['fd00:1::/64', 'fd00:1::/64'],
    pathIds: [7, 8],
    asPath: [65011],
    nextHop: 'fd00::1',
  },
  { withdraw: ['fd00:1::/64'], pathIds: [7] },
].map((update) => updateOctets('announce' in update ? { nextHop: '10.1.0.1', ...update } : update));

/** More of them than fit into 4096 octets. RFC 8654. */
const manyPrefixes = Array.from({ length: 600 }, (_, i) => `10.${64 + (i >> 8)}.${i & 255}.0/24`);
const long = updateOctets({
  announce: manyPrefixes,
  pathIds: manyPrefixes.map((_, i) => i % 3),
  nextHop: '10.1.0.1',
  asPath: [65011],
});

/** For a session with path identifiers and long messages: half of them as it expects them. */
export const IDENTIFIED_CORPUS: readonly Uint8Array[] = [
  ...CORPUS,
  ...Array.from({ length: Math.ceil(CORPUS.length / identified.length) }, () => identified)
    .flat()
    .map((body) => encodeMessage(MessageType.Update, body)),
  encodeMessage(MessageType.Update, long),
];
