import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { parseAddress } from '@overland/net';
import { expect, test } from 'vitest';
import { runInNamespace } from './namespaces.ts';
import { cable, netns, type TestNamespace } from './testing/netns.ts';
import {
  closeDatagramSocket,
  dropEverything,
  openUdpSocket,
  sendDatagram,
  setTtlRules,
  type TtlRule,
  type UdpSocketOptions,
} from './udp-socket.ts';

const PORT = 3784;
const ENDS = {
  ipv4: ['10.1.0.0', '10.1.0.1'],
  ipv6: ['fd00:1::', 'fd00:1::1'],
} as const;

const openIn = (namespace: TestNamespace, options: UdpSocketOptions): number =>
  runInNamespace(namespace.path, () => openUdpSocket(options));

/** Sends a datagram of one octet with each TTL, then one with 255 to port + 1. @returns The TTLs that came through. */
async function through(
  family: 'ipv4' | 'ipv6',
  ttls: readonly number[],
  setUp: (fd: number) => void,
): Promise<number[]> {
  await using left = await netns();
  await using right = await netns();
  const [source, target] = ENDS[family].map(parseAddress) as [never, never];
  const length = family === 'ipv4' ? 31 : 127;
  await cable(
    { namespace: left, device: 'eth1', addresses: [`${source}/${length}`] },
    { namespace: right, device: 'eth1', addresses: [`${target}/${length}`] },
  );
  const type = family === 'ipv4' ? 'udp4' : 'udp6';
  const options = { family, tos: 0xc0, ttl: 255 };
  const [filtered, marker] = [PORT, PORT + 1].map((port) => openIn(right, { ...options, port }));
  setUp(filtered ?? -1);
  const received: number[] = [];
  const socket = createSocket(type, (bytes) => received.push(bytes[0] ?? 0));
  const end = createSocket(type);
  socket.bind({ fd: filtered ?? -1 });
  end.bind({ fd: marker ?? -1 });
  const ended = once(end, 'message');
  for (const ttl of ttls) {
    const fd = openIn(left, { ...options, ttl, address: source, port: 0 });
    sendDatagram(fd, Uint8Array.of(ttl), { family, address: target, port: PORT });
    closeDatagramSocket(fd);
  }
  const fd = openIn(left, { ...options, port: 0 });
  sendDatagram(fd, Uint8Array.of(0), { family, address: target, port: PORT + 1 });
  closeDatagramSocket(fd);
  await ended;
  // What came before the last one is in the other socket by now: one more turn of the loop reads it.
  await new Promise(setImmediate);
  socket.close();
  end.close();
  return received;
}

const rules =
  (family: 'ipv4' | 'ipv6', ...given: TtlRule[]) =>
  (fd: number) =>
    setTtlRules(fd, family, given);

test.each(['ipv4', 'ipv6'] as const)('%s: nothing below 255 comes through', async (family) => {
  expect(await through(family, [1, 255, 64, 254], rules(family, { minTtl: 255 }))).toEqual([255]);
});

test.each(['ipv4', 'ipv6'] as const)('%s: a rule is for its source alone', async (family) => {
  const source = parseAddress(ENDS[family][0]);
  const other = parseAddress(family === 'ipv4' ? '10.1.0.9' : 'fd00:1::9');
  const ours = rules(family, { source: other, minTtl: 255 }, { source, minTtl: 250 });
  expect(await through(family, [249, 250, 251], ours)).toEqual([250, 251]);
  expect(await through(family, [1, 250], rules(family, { source: other, minTtl: 255 }))).toEqual([
    1, 250,
  ]);
});

test('a socket that only sends takes nothing', async () => {
  expect(await through('ipv4', [255, 64], dropEverything)).toEqual([]);
});
