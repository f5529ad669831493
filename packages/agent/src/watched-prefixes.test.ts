import { MemoryDatastore } from '@overland/datastore';
import { IpamView } from '@overland/ipam';
import { covers, hostAccess, keysWithPrefix } from '@overland/model';
import { expect, test } from 'vitest';
import { watchedPrefixes } from './watched-prefixes.ts';

/** What address management watches. */
async function ipamPrefixes(): Promise<string[]> {
  const prefixes: string[] = [];
  await using store = new MemoryDatastore();
  const done = AbortSignal.abort();
  await new IpamView('host-1').follow((prefix) => {
    prefixes.push(prefix);
    return store.watch(prefix, done);
  });
  return prefixes;
}

test.each([...watchedPrefixes('host-1').map(({ prefix }) => prefix), ...(await ipamPrefixes())])(
  'the etcd role of a host lets it watch %s',
  (prefix) => {
    const grants = hostAccess({ name: 'host-1', namespaces: ['default'] });
    expect(grants.filter((grant) => covers(grant, keysWithPrefix(prefix)))).not.toEqual([]);
  },
);
