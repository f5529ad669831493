import type { Neighbour, Neighbours } from '../ports.ts';
import type { FakeNamespace } from './fake-namespace.ts';

export function fakeNeighbours(namespace: FakeNamespace): Neighbours {
  const { neighbours, proxies } = namespace;
  return {
    list: async (device) =>
      [...neighbours.values()].filter(
        (neighbour) => device === undefined || neighbour.device === device,
      ),

    async replace({ device, address, mac }) {
      const operation = `replace neighbour ${address} on ${device}`;
      namespace.begin(operation);
      namespace.link(device, operation);
      const neighbour: Neighbour = { device, address, mac, state: 'permanent' };
      neighbours.set(`${device} ${address}`, neighbour);
      namespace.emit({ type: 'neighbour', neighbour, removed: false });
    },

    async remove(device, address) {
      namespace.begin(`remove neighbour ${address} on ${device}`);
      if (!neighbours.delete(`${device} ${address}`)) return;
      const neighbour: Neighbour = { device, address, mac: undefined, state: 'failed' };
      namespace.emit({ type: 'neighbour', neighbour, removed: true });
    },

    async probe(device, address) {
      const operation = `probe neighbour ${address} on ${device}`;
      namespace.begin(operation);
      const { peer } = namespace.link(device, operation);
      const key = `${device} ${address}`;
      if (neighbours.get(key)?.state === 'permanent') return;
      const answers = peer?.link.up && peer.link.addresses.some((own) => own.address === address);
      const neighbour: Neighbour = answers
        ? { device, address, mac: peer.link.mac, state: 'reachable' }
        : { device, address, mac: undefined, state: 'failed' };
      neighbours.set(key, neighbour);
      namespace.emit({ type: 'neighbour', neighbour, removed: false });
    },

    listProxies: async (device) =>
      [...proxies.values()].filter((proxy) => device === undefined || proxy.device === device),

    async addProxy(device, address) {
      const operation = `answer for ${address} on ${device}`;
      namespace.begin(operation);
      namespace.link(device, operation);
      proxies.set(`${device} ${address}`, { device, address });
    },

    async removeProxy(device, address) {
      namespace.begin(`remove proxy ${address} on ${device}`);
      proxies.delete(`${device} ${address}`);
    },
  };
}
