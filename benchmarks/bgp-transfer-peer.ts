import { once } from 'node:events';
import { Socket } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';
import { openTcpSocket, runInNamespace } from '@overland/linux';
import { parseAddress } from '@overland/net';

/** A worker of `bgp-transfer.ts`: one peer, with just enough BGP of its own to be independent of what it measures. */

interface PeerData {
  /** Network namespace of the peers. */
  readonly namespace: string;
  readonly speaker: string;
  readonly port: number;
  readonly address: string;
  readonly asn: number;
  /** Prefixes to announce when told to; 0 for the receiver. */
  readonly prefixes: number;
  /** [prefixes received, longest silence in ms] */
  readonly shared: SharedArrayBuffer;
}

const { namespace, speaker, port, address, asn, prefixes, shared } = workerData as PeerData;
const counters = new Int32Array(shared);
const MARKER = new Array<number>(16).fill(0xff);
const u16 = (value: number): number[] => [value >> 8, value & 255];
const u32 = (value: number): number[] => [...u16(value >>> 16), ...u16(value & 0xffff)];
const message = (type: number, body: readonly number[]): Uint8Array =>
  Uint8Array.from([...MARKER, ...u16(19 + body.length), type, ...body]);

/** IPv4 unicast and four-octet AS numbers. */
const CAPABILITIES = [1, 4, 0, 1, 0, 1, 65, 4, ...u32(asn)];
const OPEN = [4, ...u16(asn), 0, 90, 10, 0, 0, asn & 255, CAPABILITIES.length + 2];

/** UPDATEs as a full table has them: about 6.5 prefixes to an attribute set, AS paths of 2 to 6. */
function table(): Uint8Array {
  const messages: Uint8Array[] = [];
  for (let next = 0; next < prefixes; ) {
    const count = Math.min(1 + Math.floor(Math.random() * 12), prefixes - next);
    const hops = Array.from({ length: 1 + Math.floor(Math.random() * 5) }, () =>
      u32(100_000 + Math.floor(Math.random() * 300_000)),
    );
    const path = [2, hops.length + 1, ...u32(asn), ...hops.flat()];
    const nextHop = address.split('.').map(Number);
    const attributes = [0x40, 1, 1, 0, 0x40, 2, path.length, ...path, 0x40, 3, 4, ...nextHop];
    const nlri = Array.from({ length: count }, (_, i) => {
      const bits = 0x0100_0000 + ((next + i) << 8);
      return [24, ...u32(bits).slice(0, 3)];
    });
    next += count;
    messages.push(message(2, [0, 0, ...u16(attributes.length), ...attributes, ...nlri.flat()]));
  }
  return Buffer.concat(messages);
}

const fd = runInNamespace(namespace, () =>
  openTcpSocket({ family: 'ipv4', ttl: 1, tos: 0, address: parseAddress(address) }),
);
const socket = new Socket({ fd, readable: true, writable: true });
socket.connect({ host: speaker, port });
await once(socket, 'connect');
const feed = table();
let pending: Uint8Array = new Uint8Array(0);
let heardMs = 0;

socket.on('data', (chunk: Uint8Array) => {
  const octets = pending.length > 0 ? Buffer.concat([pending, chunk]) : chunk;
  let at = 0;
  for (; at + 19 <= octets.length; at += ((octets[at + 16] ?? 0) << 8) | (octets[at + 17] ?? 0)) {
    const length = ((octets[at + 16] ?? 0) << 8) | (octets[at + 17] ?? 0);
    if (at + length > octets.length) break;
    take(octets[at + 18] ?? 0, octets.subarray(at + 19, at + length));
  }
  pending = octets.slice(at);
});

function take(type: number, body: Uint8Array): void {
  if (type === 4) noteKeepalive();
  if (type !== 2) return;
  const attributes = ((body[2] ?? 0) << 8) | (body[3] ?? 0);
  let count = 0;
  for (let at = 4 + attributes; at < body.length; count += 1)
    at += 1 + (((body[at] ?? 0) + 7) >> 3);
  Atomics.add(counters, 0, count);
}

function noteKeepalive(): void {
  const now = performance.now();
  if (heardMs > 0) Atomics.store(counters, 1, Math.max(counters[1] ?? 0, now - heardMs));
  else parentPort?.postMessage('up');
  heardMs = now;
}

socket.write(message(1, [...OPEN, 2, CAPABILITIES.length, ...CAPABILITIES]));
socket.write(message(4, []));
setInterval(() => socket.write(message(4, [])), 2000);
parentPort?.once('message', () => socket.write(feed));
