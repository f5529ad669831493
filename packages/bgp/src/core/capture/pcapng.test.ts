import { parseAddress } from '@overland/net';
import { expect, test } from 'vitest';
import { PcapngWriter, pcapngHead } from './pcapng.ts';

const IPV4 = {
  local: { address: parseAddress('10.1.0.1'), port: 179 },
  remote: { address: parseAddress('10.1.0.2'), port: 40_000 },
};
const IPV6 = {
  local: { address: parseAddress('fe80::1'), port: 40_001 },
  remote: { address: parseAddress('fe80::2'), port: 179 },
};

/** The blocks of a file: type, and body with its padding. */
function blocksOf(octets: Uint8Array) {
  const view = new DataView(octets.buffer, octets.byteOffset, octets.length);
  const blocks: { type: number; body: Uint8Array }[] = [];
  for (let at = 0; at < octets.length; ) {
    const length = view.getUint32(at + 4, true);
    expect(length % 4).toBe(0);
    expect(view.getUint32(at + length - 4, true)).toBe(length);
    blocks.push({ type: view.getUint32(at, true), body: octets.slice(at + 8, at + length - 4) });
    at += length;
  }
  return blocks;
}

/** The packet of an Enhanced Packet Block. */
function packetOf(body: Uint8Array) {
  const view = new DataView(body.buffer);
  const length = view.getUint32(12, true);
  expect(view.getUint32(16, true)).toBe(length);
  return {
    timeMicros: view.getUint32(4, true) * 2 ** 32 + view.getUint32(8, true),
    packet: body.subarray(20, 20 + length),
  };
}

/** Ones' complement sum of 16-bit words, written otherwise than in the source. */
function sumOf(octets: readonly number[]): number {
  let sum = 0;
  for (let i = 0; i < octets.length; i += 2) {
    sum += (octets[i] ?? 0) * 256 + (octets[i + 1] ?? 0);
    sum = (sum % 65_536) + Math.floor(sum / 65_536);
  }
  return sum;
}

const payload = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => i & 0xff);

test('begins with a section of version 1.0 and an interface of raw IP', () => {
  const [section, link, ...rest] = blocksOf(pcapngHead());
  expect(rest).toEqual([]);
  expect(section).toEqual({
    type: 0x0a0d0d0a,
    body: Uint8Array.of(0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0, ...Array(8).fill(0xff)),
  });
  expect(link).toEqual({ type: 1, body: Uint8Array.of(101, 0, 0, 0, 0xff, 0xff, 0, 0) });
});

test.each([
  ['IPv4', IPV4, 20],
  ['IPv6', IPV6, 40],
] as const)('%s: headers that add up, whatever the length', (_, stream, ipOctets) => {
  for (const length of [1, 19, 20, 4096]) {
    const writer = new PcapngWriter(stream);
    const octets = payload(length);
    const timeMicros = 1_790_000_000_123_456;
    const [block, ...rest] = blocksOf(writer.packets({ timeMicros, direction: 'sent', octets }));
    expect(rest).toEqual([]);
    expect(block?.type).toBe(6);
    const told = packetOf(block?.body ?? new Uint8Array(0));
    expect(told.timeMicros).toBe(timeMicros);
    const packet = [...told.packet];
    expect(packet).toHaveLength(ipOctets + 20 + length);
    expect(packet.slice(ipOctets + 20)).toEqual([...octets]);
    if (ipOctets === 20) expect(sumOf(packet.slice(0, 20))).toBe(0xffff);
    const addresses = ipOctets === 20 ? packet.slice(12, 20) : packet.slice(8, 40);
    const segment = packet.slice(ipOctets);
    const pseudo = [...addresses, 0, 6, (segment.length >> 8) & 255, segment.length & 255];
    expect(sumOf([...pseudo, ...segment])).toBe(0xffff);
  }
});

test('sequence numbers count what went before, in both directions, and the ends change places', () => {
  const writer = new PcapngWriter(IPV4);
  const sequence = (direction: 'sent' | 'received', length: number): number[] => {
    const [block] = blocksOf(writer.packets({ timeMicros: 0, direction, octets: payload(length) }));
    const { packet } = packetOf(block?.body ?? new Uint8Array(0));
    const tcp = new DataView(packet.slice(20).buffer);
    return [tcp.getUint16(0), tcp.getUint16(2), tcp.getUint32(4), tcp.getUint32(8)];
  };
  expect(sequence('sent', 19)).toEqual([179, 40_000, 1, 1]);
  expect(sequence('received', 100)).toEqual([40_000, 179, 1, 20]);
  expect(sequence('sent', 7)).toEqual([179, 40_000, 20, 101]);
  expect(sequence('received', 1)).toEqual([40_000, 179, 101, 27]);
});

test('more than a packet can hold is several', () => {
  const octets = payload(100_000);
  const blocks = blocksOf(
    new PcapngWriter(IPV4).packets({ timeMicros: 0, direction: 'sent', octets }),
  );
  const parts = blocks.map(({ body }) => packetOf(body).packet.subarray(40));
  expect(parts.map(({ length }) => length)).toEqual([32_768, 32_768, 32_768, 1696]);
  expect(Buffer.concat(parts).equals(octets)).toBe(true);
});
