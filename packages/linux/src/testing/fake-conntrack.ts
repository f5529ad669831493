import type { Conntrack } from '../ports.ts';
import type { FakeNamespace } from './fake-namespace.ts';

export function fakeConntrack(namespace: FakeNamespace): Conntrack {
  return {
    async forget(addresses, isWanted = () => true) {
      const unwanted = [...namespace.connections].filter((connection) => {
        const { original, reply } = connection;
        const ends = [original.source, original.destination, reply.source, reply.destination];
        return ends.some((address) => addresses.includes(address)) && isWanted(connection);
      });
      if (unwanted.length === 0) return 0;
      namespace.begin(`forget connections of ${addresses.join(', ')}`);
      for (const connection of unwanted) namespace.connections.delete(connection);
      return unwanted.length;
    },
  };
}
