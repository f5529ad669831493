import { describe, expect, test } from 'vitest';
import { FakeDockerHost } from '../test/fake-docker-host.ts';
import { answerCall } from './answer-call.ts';

const NETWORK = 'a'.repeat(64);
const ENDPOINT = 'b1'.repeat(32);
const OTHER = 'c2'.repeat(32);
const SANDBOX = '/var/run/docker/netns/0123456789ab';
const GENERIC = 'com.docker.network.generic';
const PORTS = 'com.docker.network.portmap';

const network = (options: object = {}): object => ({
  NetworkID: NETWORK,
  Options: { 'com.docker.network.enable_ipv6': false, [GENERIC]: options },
  IPv4Data: [{ AddressSpace: 'overland', Pool: '0.0.0.0/0', Gateway: '0.0.0.0/0' }],
  IPv6Data: null,
});

const endpoint = (EndpointID: string, Address: string, Options: object | null = null): object => ({
  NetworkID: NETWORK,
  EndpointID,
  Interface: { Address, AddressIPv6: '', MacAddress: '' },
  Options,
});

const join = (EndpointID: string, SandboxKey = SANDBOX): object => ({
  NetworkID: NETWORK,
  EndpointID,
  SandboxKey,
});

/** A host with a network, and an address that Docker holds. */
async function prepared(options: object = {}): Promise<FakeDockerHost> {
  const host = new FakeDockerHost();
  expect(await answerCall('NetworkDriver.CreateNetwork', network(options), host)).toEqual({});
  await answerCall('IpamDriver.RequestAddress', { PoolID: 'ipv4/' }, host);
  return host;
}

test('a driver for networks and addresses, which knows its calls and no others', async () => {
  const host = new FakeDockerHost();
  expect(await answerCall('Plugin.Activate', undefined, host)).toEqual({
    Implements: ['NetworkDriver', 'IpamDriver'],
  });
  expect(await answerCall('NetworkDriver.AllocateNetwork', {}, host)).toBeUndefined();
  expect(await answerCall('constructor', {}, host)).toBeUndefined();
});

test('what is no call of Docker is an answer that names the field', async () => {
  const host = new FakeDockerHost();
  expect(await answerCall('NetworkDriver.Join', { NetworkID: '../x' }, host)).toEqual({
    Err: expect.stringContaining('NetworkID: must be 16 to 64 digits'),
  });
  expect(await answerCall('IpamDriver.RequestAddress', undefined, host)).toEqual({
    Error: expect.stringContaining('the call has no body'),
  });
});

describe('pools', () => {
  const request = (body: object) =>
    answerCall(
      'IpamDriver.RequestPool',
      { AddressSpace: 'overland', ...body },
      new FakeDockerHost(),
    );

  test.each([
    [{}, 'ipv4/', '0.0.0.0/0'],
    // As a restarted daemon repeats it.
    [{ Pool: '0.0.0.0/0' }, 'ipv4/', '0.0.0.0/0'],
    [{ Pool: '10.66.0.0/16' }, 'ipv4/10.66.0.0/16', '10.66.0.0/16'],
    [{ Options: { pool: 'back' } }, 'ipv4/back', '0.0.0.0/0'],
    [{ V6: true, Pool: 'fd00:65::/48' }, 'ipv6/fd00:65::/48', 'fd00:65::/48'],
  ])('%j is %s', async (body, PoolID, Pool) => {
    expect(await request(body)).toMatchObject({ PoolID, Pool });
  });

  test.each([
    [{ Pool: '10.99.0.0/16' }, 'is no IPPool: there are front (10.65.0.0/16), back'],
    [{ Pool: 'x' }, 'the subnet x must be'],
    [{ SubPool: '10.65.1.0/24' }, '--ip-range is not supported'],
    [{ Options: { pool: 'six' } }, 'is no ipv4 IPPool'],
    [{ Options: { size: '3' } }, '--ipam-opt size is not known'],
  ])('%j is refused', async (body, reason) => {
    expect(await request(body)).toEqual({ Error: expect.stringContaining(reason) });
  });
});

describe('addresses', () => {
  const request = (host: FakeDockerHost, body: object) =>
    answerCall('IpamDriver.RequestAddress', body, host);

  test('come from the pool, alone; a gateway has none', async () => {
    const host = new FakeDockerHost();
    const gateway = { RequestAddressType: 'com.docker.network.gateway' };
    expect(await request(host, { PoolID: 'ipv4/back', Options: gateway })).toMatchObject({
      Address: '0.0.0.0/0',
    });
    expect(await request(host, { PoolID: 'ipv4/back', Address: '10.66.0.9' })).toMatchObject({
      Address: '10.66.0.9/32',
    });
    expect(host.wishes).toEqual([{ family: 'ipv4', pool: 'back', address: '10.66.0.9' }]);
  });

  test.each([
    [{ PoolID: 'ipv4/back', Address: '10.65.0.9' }, 'is not of the network'],
    [{ PoolID: 'ipv4/', Address: 'ten' }, 'the address is ten'],
    [{ PoolID: 'elsewhere' }, 'none that this driver has given'],
    [
      {
        PoolID: 'ipv4/',
        Address: '10.65.0.1',
        Options: { RequestAddressType: 'com.docker.network.gateway' },
      },
      '--gateway 10.65.0.1 is not possible',
    ],
  ])('%j is refused', async (body, reason) => {
    expect(await request(new FakeDockerHost(), body)).toEqual({
      Error: expect.stringContaining(reason),
    });
  });

  test('are not given back while an endpoint has them', async () => {
    const host = await prepared();
    const release = { PoolID: 'ipv4/', Address: '10.65.0.1' };
    await answerCall('NetworkDriver.CreateEndpoint', endpoint(ENDPOINT, '10.65.0.1/32'), host);
    await answerCall('NetworkDriver.CreateEndpoint', endpoint(OTHER, '10.65.0.1/32'), host);
    expect(await answerCall('IpamDriver.ReleaseAddress', release, host)).toEqual({});
    expect(host.held).toContain('10.65.0.1');
    const ids = { NetworkID: NETWORK, EndpointID: ENDPOINT };
    await answerCall('NetworkDriver.DeleteEndpoint', ids, host);
    await answerCall('IpamDriver.ReleaseAddress', release, host);
    expect(host.held).toEqual(new Set());
    const unspecified = { PoolID: 'ipv4/', Address: '0.0.0.0' };
    expect(await answerCall('IpamDriver.ReleaseAddress', unspecified, host)).toEqual({});
  });
});

describe('networks', () => {
  test.each([
    [network({ parent: 'eth0' }), '-o parent is not known'],
    [network({ 'overland.network': 'My Net' }), '-o.overland.network: must be lower-case'],
    [network({ 'com.docker.network.driver.mtu': '9' }), 'must be 576 to 65535'],
    [{ ...network(), IPv4Data: [{ AddressSpace: 'LocalDefault' }] }, 'give --ipam-driver'],
    [
      { ...network(), Options: { 'com.docker.network.internal': true } },
      '--internal is not supported',
    ],
  ])('%j is refused', async (body, reason) => {
    const answer = await answerCall('NetworkDriver.CreateNetwork', body, new FakeDockerHost());
    expect(answer).toEqual({ Err: expect.stringContaining(reason) });
  });
});

describe('endpoints', () => {
  test('wait for the labels of their container', async () => {
    const host = await prepared();
    const made = await answerCall(
      'NetworkDriver.CreateEndpoint',
      endpoint(ENDPOINT, '10.65.0.1/32'),
      host,
    );
    expect(made).toEqual({ Interface: { MacAddress: '02:b1:b1:b1:b1:b1' } });
    expect(await answerCall('NetworkDriver.Join', join(ENDPOINT), host)).toEqual({
      InterfaceName: { SrcName: 'ovlc0123456789a', DstPrefix: 'eth' },
      DisableGatewayService: true,
      Gateway: '169.254.1.1',
      GatewayIPv6: 'fe80::1',
      StaticRoutes: [
        { Destination: '169.254.1.1/32', RouteType: 1, NextHop: '' },
        { Destination: 'fe80::1/128', RouteType: 1, NextHop: '' },
      ],
    });
    expect(host.attached).toMatchObject([
      {
        handover: true,
        isUnidentified: true,
        orchestrator: 'libnetwork',
        network: 'fabric',
        profiles: ['fabric'],
        foreignAddresses: ['10.65.0.1'],
        mac: '02:b1:b1:b1:b1:b1',
      },
    ]);
    expect(host.identified).toEqual([ENDPOINT]);
  });

  test('with labels of their own, or of a Docker that is not asked, do not', async () => {
    const host = await prepared({ 'overland.network': 'shared' });
    const options = { 'overland.label.role': 'db' };
    const body = endpoint(ENDPOINT, '10.65.0.1/32', options);
    await answerCall('NetworkDriver.CreateEndpoint', body, host);
    await answerCall('NetworkDriver.Join', join(ENDPOINT), host);
    expect(host.attached).toMatchObject([
      { isUnidentified: false, labels: { role: 'db' }, profiles: ['shared'] },
    ]);
    expect(host.identified).toEqual([]);

    const alone = await prepared();
    alone.asksForLabels = false;
    await answerCall('NetworkDriver.CreateEndpoint', endpoint(ENDPOINT, '10.65.0.1/32'), alone);
    await answerCall('NetworkDriver.Join', join(ENDPOINT), alone);
    expect(alone.attached).toMatchObject([{ isUnidentified: false, labels: {} }]);
  });

  test('publish ports: the first free one of a range, and none twice', async () => {
    const host = await prepared();
    await answerCall('IpamDriver.RequestAddress', { PoolID: 'ipv4/' }, host);
    const published = (HostPort: number, HostPortEnd: number) => ({
      [PORTS]: [{ Proto: 6, IP: '', Port: 80, HostIP: '0.0.0.0', HostPort, HostPortEnd }],
    });
    const make = (id: string, address: string, options: object) =>
      answerCall('NetworkDriver.CreateEndpoint', endpoint(id, address, options), host);
    await make(ENDPOINT, '10.65.0.1/32', published(8080, 8081));
    expect(await make(OTHER, '10.65.0.2/32', published(8080, 8080))).toEqual({
      Err: 'port 8080 (TCP) of the host leads to another container',
    });
    expect(await make(OTHER, '10.65.0.2/32', published(0, 0))).toEqual({
      Err: expect.stringContaining('say which'),
    });
    await make(OTHER, '10.65.0.2/32', published(8080, 8081));
    expect(host.endpoints.all().flatMap(({ ports }) => ports)).toEqual([
      { protocol: 'TCP', port: 80, hostPort: 8080 },
      { protocol: 'TCP', port: 80, hostPort: 8081 },
    ]);
  });

  test.each([
    [endpoint(ENDPOINT, '10.65.0.77/32'), 'was not requested before'],
    [endpoint(ENDPOINT, ''), 'has no address'],
    [
      endpoint(ENDPOINT, '10.65.0.1/32', { 'overland.lable.x': 'y' }),
      'driver-opt overland.lable.x is not known',
    ],
    [
      endpoint(ENDPOINT, '10.65.0.1/32', { 'overland.label.x': 'a b' }),
      "a label's value is at most 63",
    ],
    [{ ...endpoint(ENDPOINT, '10.65.0.1/32'), NetworkID: OTHER }, 'does not know the network'],
  ])('%j is refused', async (body, reason) => {
    const answer = await answerCall('NetworkDriver.CreateEndpoint', body, await prepared());
    expect(answer).toEqual({ Err: expect.stringContaining(reason) });
  });

  test('of further networks lead to their own pool, which must be another', async () => {
    const host = await prepared();
    await answerCall('IpamDriver.RequestAddress', { PoolID: 'ipv4/' }, host);
    const far = { PoolID: 'ipv4/back', Address: '10.66.0.9' };
    await answerCall('IpamDriver.RequestAddress', far, host);
    await answerCall('NetworkDriver.CreateEndpoint', endpoint(ENDPOINT, '10.65.0.1/32'), host);
    await answerCall('NetworkDriver.Join', join(ENDPOINT), host);

    await answerCall('NetworkDriver.CreateEndpoint', endpoint(OTHER, '10.66.0.9/32'), host);
    const answer = await answerCall('NetworkDriver.Join', join(OTHER), host);
    expect(answer).toMatchObject({
      StaticRoutes: [{ Destination: '10.66.0.0/16', RouteType: 1, NextHop: '' }],
    });
    expect(answer).not.toHaveProperty('Gateway');

    const third = 'd3'.repeat(32);
    await answerCall('NetworkDriver.CreateEndpoint', endpoint(third, '10.65.0.2/32'), host);
    expect(await answerCall('NetworkDriver.Join', join(third), host)).toEqual({
      Err: expect.stringContaining('has an address of the pool 10.65.0.0/16 already'),
    });
    expect(await answerCall('NetworkDriver.Join', join(third, `${SANDBOX}2`), host)).toMatchObject({
      Gateway: '169.254.1.1',
    });
  });

  test('leave the network before Docker is answered, and may come again', async () => {
    const host = await prepared();
    const ids = { NetworkID: NETWORK, EndpointID: ENDPOINT };
    await answerCall('NetworkDriver.CreateEndpoint', endpoint(ENDPOINT, '10.65.0.1/32'), host);
    await answerCall('NetworkDriver.Join', join(ENDPOINT), host);
    expect(await answerCall('NetworkDriver.Leave', ids, host)).toEqual({});
    expect(host.detached).toEqual([ENDPOINT]);
    expect(host.endpoints.get(ENDPOINT)).not.toHaveProperty('sandbox');
    expect(await answerCall('NetworkDriver.DeleteEndpoint', ids, host)).toEqual({});
    expect(host.endpoints.all()).toEqual([]);
    // Of what was lost, or never was.
    expect(await answerCall('NetworkDriver.Leave', ids, host)).toEqual({});
  });
});
