import { parseAddress } from '@overland/net';
import { expect, test } from 'vitest';
import { openDiscoverySocket } from './discovery-socket.ts';
import { runInNamespace } from './namespaces.ts';
import { cable, netns, type TestNamespace } from './testing/netns.ts';

const [SOLICITATION, ADVERTISEMENT] = [133, 134];
const ALL_NODES = parseAddress('ff02::1');
const ALL_ROUTERS = parseAddress('ff02::2');

async function pair() {
  const [left, right] = [await netns(), await netns()];
  await cable(
    { namespace: left, device: 'eth1', addresses: [] },
    { namespace: right, device: 'eth1', addresses: [] },
  );
  // Duplicate address detection would hold the first packets back for a second.
  for (const [namespace, address] of [
    [left, 'fe80::1/64'],
    [right, 'fe80::2/64'],
  ] as const) {
    await namespace.ip('addr', 'flush', 'dev', 'eth1');
    await namespace.ip('addr', 'add', address, 'dev', 'eth1', 'nodad');
  }
  return {
    left,
    right,
    async [Symbol.asyncDispose]() {
      await left[Symbol.asyncDispose]();
      await right[Symbol.asyncDispose]();
    },
  };
}

/** A socket, and what it gets: source, destination, hop limit and type, or why it failed. */
function openIn(namespace: TestNamespace, types: readonly number[]) {
  const got: string[] = [];
  const waiting = new Set<() => void>();
  const put = (text: string): void => {
    got.push(text);
    for (const wake of waiting) wake();
  };
  const text = (octets: Uint8Array): string => Buffer.from(octets).toString('hex');
  const socket = runInNamespace(namespace.path, () =>
    openDiscoverySocket({
      device: 'eth1',
      types,
      received: (packet) =>
        put(
          [packet.slice(8, 24), packet.slice(24, 40), packet.slice(7, 8), packet.slice(40, 41)]
            .map(text)
            .join(' '),
        ),
      failed: put,
    }),
  );
  /** Resolves when there are so many. */
  const many = (count: number): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (got.length < count) return;
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      look();
    });
  return { socket, got, many };
}

const line = (source: string, group: string, type: number): string =>
  `fe80000000000000000000000000000${source} ff02000000000000000000000000000${group} ff ${type.toString(16)}`;

test('what one sends the other hears, with its source; types that were not asked for are dropped', async () => {
  await using net = await pair();
  const left = openIn(net.left, [SOLICITATION]);
  const right = openIn(net.right, [SOLICITATION, ADVERTISEMENT]);
  left.socket.send(Uint8Array.of(200, 0, 0, 0, 0, 0, 0, 0), ALL_NODES);
  left.socket.send(
    Uint8Array.of(ADVERTISEMENT, 0, 0, 0, 64, 0, 0, 30, 0, 0, 0, 0, 0, 0, 0, 0),
    ALL_NODES,
  );
  right.socket.send(
    Uint8Array.of(ADVERTISEMENT, 0, 0, 0, 64, 0, 0, 30, 0, 0, 0, 0, 0, 0, 0, 0),
    ALL_NODES,
  );
  right.socket.send(Uint8Array.of(SOLICITATION, 0, 0, 0, 0, 0, 0, 0), ALL_ROUTERS);
  await Promise.all([left.many(1), right.many(1)]);
  expect(left.got).toEqual([line('2', '2', SOLICITATION)]);
  expect(right.got).toEqual([line('1', '1', ADVERTISEMENT)]);
  left.socket.close();
  right.socket.close();
});

test('a flood is taken in slices: the event loop has time for others', async () => {
  await using net = await pair();
  const left = openIn(net.left, []);
  const right = openIn(net.right, [SOLICITATION]);
  for (let i = 0; i < 200; i += 1) {
    left.socket.send(Uint8Array.of(SOLICITATION, 0, 0, 0, 0, 0, 0, 0), ALL_ROUTERS);
  }
  const first = performance.now();
  await right.many(24);
  // Three slices have two pauses between them.
  expect(performance.now() - first).toBeGreaterThan(150);
  left.socket.close();
  right.socket.close();
});

test('it knows the link-layer address', async () => {
  await using net = await pair();
  await net.left.ip('link', 'set', 'eth1', 'address', '02:00:00:00:00:07');
  const { socket } = openIn(net.left, [ADVERTISEMENT]);
  expect([...socket.mac]).toEqual([2, 0, 0, 0, 0, 7]);
  socket.close();
});

test('an interface that goes down or away ends it, and is told', async () => {
  for (const command of [
    ['link', 'set', 'eth1', 'down'],
    ['link', 'del', 'eth1'],
  ]) {
    await using net = await pair();
    const { got, many, socket } = openIn(net.left, [ADVERTISEMENT]);
    await net.left.ip(...command);
    await many(1);
    expect(got).toEqual(['ENETDOWN']);
    socket.close();
  }
});

test('an interface that there is not', async () => {
  await using namespace = await netns();
  expect(() => openIn(namespace, [ADVERTISEMENT])).toThrow(/ENODEV/);
});
