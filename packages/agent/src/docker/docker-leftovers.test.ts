import type { DockerEndpoint, DockerNetwork, EngineNetwork } from '@overland/docker';
import { type IpAddress, parseAddress } from '@overland/net';
import pino from 'pino';
import { expect, test } from 'vitest';
import { DockerLeftovers } from './docker-leftovers.ts';

const ADDRESS = parseAddress('10.65.0.9');
const OTHER = parseAddress('10.65.0.10');

class Records<T extends { readonly id: string }> extends Map<string, T> {
  unreadable: readonly string[] = [];

  all(): readonly T[] {
    return [...this.values()];
  }

  async remove(id: string): Promise<void> {
    this.delete(id);
  }
}

/** A host with an endpoint, as far as it goes; and a Docker that has it. */
function setUp() {
  const networks = new Records<DockerNetwork>([['net', { version: 1, id: 'net' }]]);
  const endpoint: DockerEndpoint = {
    version: 1,
    id: 'ep',
    networkId: 'net',
    addresses: [ADDRESS],
    mac: '02:00:00:00:00:01',
    ports: [],
  };
  const endpoints = new Records<DockerEndpoint>([['ep', endpoint]]);
  const held = new Set<IpAddress>([ADDRESS]);
  const docker: { network: EngineNetwork | undefined } = {
    network: { name: 'fabric', containers: new Map([['ep', 'container']]) },
  };
  const detached: string[] = [];
  const leftovers = new DockerLeftovers({
    engine: { network: async () => docker.network },
    networks,
    endpoints,
    leases: {
      held: () => [...held],
      release: async (address) => {
        held.delete(address);
      },
    },
    detach: async (id) => {
      detached.push(id);
    },
    log: pino({ level: 'silent' }),
  });
  return { networks, endpoints, held, docker, detached, leftovers };
}

test('nothing is taken apart while a record cannot be read: what is meant by it is not known', async () => {
  for (const which of ['networks', 'endpoints'] as const) {
    const host = setUp();
    host.docker.network = undefined;
    host[which].unreadable = ['bad.json'];
    for (let look = 0; look < 3; look++) await host.leftovers.look();
    expect([host.networks.size, host.endpoints.size, host.held.size]).toEqual([1, 1, 1]);
  }
});

test('what Docker has stays, however often it is looked at', async () => {
  const { networks, endpoints, held, leftovers } = setUp();
  for (let look = 0; look < 3; look++) await leftovers.look();
  expect([networks.size, endpoints.size, held.size]).toEqual([1, 1, 1]);
});

test('an endpoint that is missing twice is taken off the network, then its address is given back', async () => {
  const { endpoints, held, docker, detached, leftovers } = setUp();
  docker.network = { name: 'fabric', containers: new Map() };
  await leftovers.look();
  expect(detached).toEqual([]);
  await leftovers.look();
  expect(detached).toEqual(['ep']);
  expect(endpoints.size).toBe(0);
  await leftovers.look();
  expect(held).toEqual(new Set());
});

test('an address without an endpoint is given back, unless it gets one between two looks', async () => {
  const { endpoints, held, docker, leftovers } = setUp();
  held.add(OTHER);
  await leftovers.look();
  const known = endpoints.get('ep');
  if (known) endpoints.set('new', { ...known, id: 'new', addresses: [OTHER] });
  const containers = new Map([
    ['ep', 'container'],
    ['new', 'another'],
  ]);
  docker.network = { name: 'fabric', containers };
  await leftovers.look();
  expect(held).toContain(OTHER);
  endpoints.delete('new');
  await leftovers.look();
  await leftovers.look();
  expect(held).toEqual(new Set([ADDRESS]));
});

test('everything of a network that Docker has lost is taken apart', async () => {
  const { networks, endpoints, held, docker, leftovers } = setUp();
  docker.network = undefined;
  for (let look = 0; look < 4; look++) await leftovers.look();
  expect([networks.size, endpoints.size, held.size]).toEqual([0, 0, 0]);
});
