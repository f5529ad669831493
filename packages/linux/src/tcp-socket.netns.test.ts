import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, Socket } from 'node:net';
import { type IpAddress, parseAddress, parsePrefix, prefixOf } from '@overland/net';
import { describe, expect, test } from 'vitest';
import { runInNamespace } from './namespaces.ts';
import {
  openTcpSocket,
  removeMd5Key,
  setMd5Key,
  setUserTimeout,
  type TcpSocketOptions,
  TOS_NETWORK_CONTROL,
  userTimeoutOf,
} from './tcp-socket.ts';
import { SOON } from './testing/kernel-pair.ts';
import { cable, netns, type TestNamespace } from './testing/netns.ts';

const common = { ttl: 64, tos: TOS_NETWORK_CONTROL };

const openIn = (namespace: TestNamespace, options: TcpSocketOptions): number =>
  runInNamespace(namespace.path, () => openTcpSocket(options));

async function serve(namespace: TestNamespace, options: TcpSocketOptions): Promise<Server> {
  const server = createServer();
  server.listen({ fd: openIn(namespace, options) });
  await once(server, 'listening');
  return server;
}

async function dial(fd: number, host: IpAddress, port: number): Promise<Socket> {
  const socket = new Socket({ fd, readable: true, writable: true });
  socket.connect({ host, port });
  await once(socket, 'connect');
  return socket;
}

test.each([
  { family: 'ipv4', source: '10.1.0.0', target: '10.1.0.1' },
  { family: 'ipv6', source: 'fd00:1::', target: 'fd00:1::1' },
] as const)('$family: Node dials and serves on our sockets', async ({ family, source, target }) => {
  await using left = await netns();
  await using right = await netns();
  await cable(
    { namespace: left, device: 'eth1', addresses: ['10.1.0.0/31', 'fd00:1::/127'] },
    { namespace: right, device: 'eth1', addresses: ['10.1.0.1/31', 'fd00:1::1/127'] },
  );
  const address = parseAddress(target);
  await using server = await serve(right, { ...common, family, address, port: 179 });
  expect(server.address()).toMatchObject({ address, port: 179 });

  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const fd = openIn(left, { ...common, family, address: parseAddress(source) });
  const client = await dial(fd, address, 179);
  const [socket] = await accepted;
  expect(socket.remoteAddress).toBe(source);
  expect(await left.exec(['ss', '-Htn', '--tos'])).toMatch(/(tos|tclass):0xc0/);
  for (const end of [client, socket]) end.destroy();
});

/** Two namespaces with a link, and how a dialler with these options fares against a listener with those. */
async function meeting(
  family: 'ipv4' | 'ipv6',
  listener: Partial<TcpSocketOptions>,
  dialler: Partial<TcpSocketOptions>,
  change?: (listener: number) => void,
): Promise<{ readonly isConnected: boolean; readonly counters: string } & AsyncDisposable> {
  const stack = new AsyncDisposableStack();
  const [left, right] = [stack.use(await netns()), stack.use(await netns())];
  await cable(
    { namespace: left, device: 'eth1', addresses: ['10.1.0.0/31', 'fd00:1::/127'] },
    { namespace: right, device: 'eth1', addresses: ['10.1.0.1/31', 'fd00:1::1/127'] },
  );
  const fd = openIn(right, { ...common, family, ...listener });
  const server = stack.use(createServer((socket) => socket.end()));
  server.listen({ fd });
  await once(server, 'listening');
  change?.(fd);
  const socket = new Socket({ fd: openIn(left, { ...common, family, ...dialler }) });
  stack.defer(() => void socket.destroy());
  let isConnected = false;
  const { port } = server.address() as AddressInfo;
  socket.connect({ host: family === 'ipv4' ? '10.1.0.1' : 'fd00:1::1', port }, () => {
    isConnected = true;
  });
  socket.on('error', () => undefined);
  const dropped = async () => {
    const counters = await right.exec(['cat', '/proc/net/netstat']);
    return droppedIn(counters);
  };
  let counters = '';
  await expect
    .poll(async () => {
      counters = await dropped();
      return isConnected || counters !== '';
    }, SOON)
    .toBe(true);
  return { isConnected, counters, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** Names of those counters of TcpExt that are not zero, of segments dropped for what we test. */
function droppedIn(netstat: string): string {
  const [names = [], values = []] = netstat
    .split('\n')
    .filter((line) => line.startsWith('TcpExt:'))
    .map((line) => line.split(' '));
  const told = /^TCP(MD5\w+|MinTTLDrop)$/;
  return names.filter((name, i) => told.test(name) && values[i] !== '0').join(' ');
}

describe.each([
  { family: 'ipv4', dialler: '10.1.0.0', listener: '10.1.0.1' },
  { family: 'ipv6', dialler: 'fd00:1::', listener: 'fd00:1::1' },
] as const)('$family', ({ family, ...ends }) => {
  const [dialler, listener] = [parseAddress(ends.dialler), parseAddress(ends.listener)];
  const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
  const at = (text: string) => ({ md5: [{ peer: dialler, key: bytes(text) }] });
  const to = (text: string) => ({ md5: [{ peer: listener, key: bytes(text) }] });

  test.each([
    ['the same key at both ends connects', at('k'), to('k'), undefined],
    ['the longest key', at('x'.repeat(80)), to('x'.repeat(80)), undefined],
    ['another key does not', at('k'), to('K'), 'TCPMD5Failure'],
    ['no key does not', at('k'), {}, 'TCPMD5NotFound'],
    ['a key that nobody expects does not', {}, to('k'), 'TCPMD5Unexpected'],
    ['GTSM lets 255 in', { minTtl: 255 }, { ttl: 255 }, undefined],
    ['GTSM drops what has come further', { minTtl: 255 }, { ttl: 254 }, 'TCPMinTTLDrop'],
  ])('%s', async (_what, ours, theirs, counters = '') => {
    await using met = await meeting(family, ours, theirs);
    expect(met).toMatchObject({ isConnected: counters === '', counters });
  });

  test('a key for a prefix is for all in it, but for who has one of its own', async () => {
    const range = prefixOf(dialler, family === 'ipv4' ? 24 : 64);
    const other = parsePrefix(family === 'ipv4' ? '10.2.0.0/24' : 'fd00:2::/64');
    const md5 = [{ peer: range, key: bytes('k') }];
    await using inside = await meeting(family, { md5 }, to('k'));
    expect(inside.isConnected).toBe(true);
    await using wrong = await meeting(family, { md5 }, to('K'));
    expect(wrong).toMatchObject({ isConnected: false, counters: 'TCPMD5Failure' });
    await using unsigned = await meeting(family, { md5 }, {});
    expect(unsigned).toMatchObject({ isConnected: false, counters: 'TCPMD5NotFound' });
    await using outside = await meeting(family, { md5: [{ peer: other, key: bytes('k') }] }, {});
    expect(outside.isConnected).toBe(true);
    const own = { peer: dialler, key: bytes('own') };
    await using longest = await meeting(family, { md5: [own, ...md5] }, to('own'));
    expect(longest.isConnected).toBe(true);
    const takeBack = (fd: number) => removeMd5Key(fd, range);
    await using removed = await meeting(family, { md5 }, {}, takeBack);
    expect(removed.isConnected).toBe(true);
  });

  test('keys of a socket that listens can be set, replaced and taken back', async () => {
    const key = (text: string) => (fd: number) =>
      setMd5Key(fd, { peer: dialler, key: bytes(text) });
    await using set = await meeting(family, {}, to('k'), key('k'));
    expect(set.isConnected).toBe(true);
    await using replaced = await meeting(family, at('old'), to('k'), key('k'));
    expect(replaced.isConnected).toBe(true);
    await using removed = await meeting(family, at('k'), {}, (fd) => removeMd5Key(fd, dialler));
    expect(removed.isConnected).toBe(true);
  });
});

test('a key is 1 to 80 octets', () => {
  const peer = parseAddress('10.1.0.1');
  for (const length of [0, 81]) {
    const md5 = [{ peer, key: new Uint8Array(length) }];
    expect(() => openTcpSocket({ ...common, family: 'ipv4', md5 })).toThrow(/1 to 80/);
  }
});

test('an IPv6 link-local address needs its device, and works with it', async () => {
  await using left = await netns();
  await using right = await netns();
  await cable({ namespace: left, device: 'eth1' }, { namespace: right, device: 'eth1' });
  await right.ip('address', 'add', 'fe80::1/64', 'dev', 'eth1', 'nodad');
  await left.ip('address', 'add', 'fe80::2/64', 'dev', 'eth1', 'nodad');
  const [ours, theirs] = [parseAddress('fe80::2'), parseAddress('fe80::1')];
  const options = { ...common, family: 'ipv6' } as const;
  expect(() => openIn(right, { ...options, address: theirs })).toThrow(/EINVAL/);

  const device = 'eth1';
  await using server = await serve(right, { ...options, address: theirs, port: 179, device });
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const client = await dial(openIn(left, { ...options, address: ours, device }), theirs, 179);
  for (const end of [client, ...(await accepted)]) end.destroy();
});

test('what nobody acknowledges ends the connection after the user timeout', async () => {
  await using left = await netns();
  await using right = await netns();
  await cable(
    { namespace: left, device: 'eth1', addresses: ['10.1.0.0/31'] },
    { namespace: right, device: 'eth1', addresses: ['10.1.0.1/31'] },
  );
  const address = parseAddress('10.1.0.1');
  await using server = await serve(right, { ...common, family: 'ipv4', address });
  const { port } = server.address() as AddressInfo;
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const fd = openIn(left, { ...common, family: 'ipv4' });
  expect(userTimeoutOf(fd)).toBe(0);
  setUserTimeout(fd, 500);
  expect(userTimeoutOf(fd)).toBe(500);
  const client = await dial(fd, address, port);
  const [socket] = await accepted;
  await right.ip('route', 'add', 'blackhole', '10.1.0.0');
  client.write('x');
  await expect(once(client, 'error')).resolves.toMatchObject([{ code: 'ETIMEDOUT' }]);
  socket.destroy();
});

test('a socket that is bound to an interface hears nothing of another one', async () => {
  await using left = await netns();
  await using right = await netns();
  for (const n of [1, 2]) {
    await cable(
      { namespace: left, device: `eth${n}`, addresses: [`10.${n}.0.0/31`] },
      { namespace: right, device: `eth${n}`, addresses: [`10.${n}.0.1/31`] },
    );
  }
  const address = parseAddress('10.1.0.1');
  const options = { ...common, family: 'ipv4', address, port: 179 } as const;
  await using _server = await serve(right, { ...options, device: 'eth1' });
  const dialOn = (device: string) =>
    dial(openIn(left, { ...common, family: 'ipv4', device }), address, 179);
  await left.ip('route', 'add', '10.1.0.1', 'via', '10.2.0.1', 'dev', 'eth2', 'metric', '9');
  await expect(dialOn('eth2')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  (await dialOn('eth1')).destroy();
});

test('TTL 1 reaches the neighbour and not one hop further', async () => {
  await using left = await netns();
  await using middle = await netns();
  await using right = await netns();
  await cable(
    { namespace: left, device: 'eth1', addresses: ['10.1.0.0/31'] },
    { namespace: middle, device: 'eth1', addresses: ['10.1.0.1/31'] },
  );
  await cable(
    { namespace: middle, device: 'eth2', addresses: ['10.2.0.0/31'] },
    { namespace: right, device: 'eth1', addresses: ['10.2.0.1/31'] },
  );
  await left.ip('route', 'add', 'default', 'via', '10.1.0.1');
  await right.ip('route', 'add', 'default', 'via', '10.2.0.0');
  await middle.exec(['sysctl', '-qw', 'net.ipv4.ip_forward=1']);
  const address = parseAddress('10.2.0.1');
  await using server = await serve(right, { ...common, family: 'ipv4', address });
  const { port } = server.address() as AddressInfo;

  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const client = await dial(openIn(left, { ...common, family: 'ipv4' }), address, port);
  for (const end of [client, ...(await accepted)]) end.destroy();
  const short = openIn(left, { ...common, ttl: 1, family: 'ipv4' });
  await expect(dial(short, address, port)).rejects.toMatchObject({ code: 'EHOSTUNREACH' });
});

test('an address that is not ours is refused, and no descriptor is left open', () => {
  const before = readdirSync('/proc/self/fd').length;
  const address = parseAddress('192.0.2.1');
  const rounds = 20;
  for (let i = 0; i < rounds; i++) {
    expect(() => openTcpSocket({ ...common, family: 'ipv4', address })).toThrow(/EADDRNOTAVAIL/);
    expect(() => openTcpSocket({ ...common, family: 'ipv6', address })).toThrow(RangeError);
  }
  // The runtime opens and closes some of its own meanwhile; a leak is at least one each round.
  expect(readdirSync('/proc/self/fd').length).toBeLessThan(before + rounds);
});
