import { AccessDeniedError, type Datastore, MemoryDatastore } from '@overland/datastore';
import { COMPACTION_LEADER_KEY, CONTROLLERS_CONFIGURATION_KEY } from '@overland/model';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { compactByPeriod } from './compaction.ts';

/** A datastore that lets nobody watch some key. */
function refusing(inner: Datastore, key: string): Datastore {
  return new Proxy(inner, {
    get(target, property) {
      if (property === 'watch') {
        return async function* (prefix: string, signal: AbortSignal) {
          if (prefix === key) throw new AccessDeniedError(`watching ${key}: denied`);
          yield* target.watch(prefix, signal);
        };
      }
      const value: unknown = Reflect.get(target, property, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

test.each([COMPACTION_LEADER_KEY, CONTROLLERS_CONFIGURATION_KEY])(
  'a host that may not watch %s leaves it to others, with a warning, and lives',
  async (key) => {
    await using inner = new MemoryDatastore();
    const warnings: string[] = [];
    const log = pino({ level: 'warn' }, { write: (line: string) => warnings.push(line) });
    const datastore = refusing(inner, key);
    await compactByPeriod({ datastore, nodeName: 'a', log }, new AbortController().signal);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain('does not let this host compact it');
    expect(await inner.get(COMPACTION_LEADER_KEY)).toBeUndefined();
  },
);
