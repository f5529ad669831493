import type { Conntrack } from '../ports.ts';
import type { FakeNamespace } from './fake-namespace.ts';

export function fakeConntrack(namespace: FakeNamespace): Conntrack {
  return {
    async forget(addresses) {
      namespace.begin(`forget connections of ${addresses.join(', ')}`);
      let count = 0;
      for (const connection of [...namespace.connections]) {
        if (!connection.some((address) => addresses.includes(address))) continue;
        namespace.connections.delete(connection);
        count += 1;
      }
      return count;
    },
  };
}
