import { covers, hostAccess, keysWithPrefix } from '@overland/model';
import { expect, test } from 'vitest';
import { watchedPrefixes } from './watched-prefixes.ts';

test.each(watchedPrefixes('host-1').map(({ prefix }) => prefix))(
  'the etcd role of a host lets it watch %s',
  (prefix) => {
    const grants = hostAccess({ name: 'host-1', namespaces: ['default'] });
    expect(grants.filter((grant) => covers(grant, keysWithPrefix(prefix)))).not.toEqual([]);
  },
);
