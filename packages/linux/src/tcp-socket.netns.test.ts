import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, Socket } from 'node:net';
import { type IpAddress, parseAddress } from '@overland/net';
import { expect, test } from 'vitest';
import { runInNamespace } from './namespaces.ts';
import { openTcpSocket, type TcpSocketOptions, TOS_NETWORK_CONTROL } from './tcp-socket.ts';
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
