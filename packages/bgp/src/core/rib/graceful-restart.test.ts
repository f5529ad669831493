import type { RouteBatch } from '@overland/net';
import { expect, test } from 'vitest';
import {
  link,
  peerConfig,
  Speaker,
  sessionWith,
  speakerConfig,
} from '../../../test/two-speakers.ts';
import { endOfRibOctets, updateOctets } from '../../../test/update-octets.ts';

const SESSION = sessionWith(0, peerConfig('10.1.0.0', 65011), { asn: 65101, address: '10.1.0.1' });

/** A host with one leaf, and a trace of what it holds from it. */
function hostWithLeaf({ deferred = false } = {}) {
  const speaker = new Speaker(speakerConfig(65101, { role: 'host' }));
  const { engine } = speaker;
  engine.setInterfaces([link('eth1', ['10.1.0.1/31', 'fd00:1::1/127'])]);
  engine.peerUp(SESSION);
  if (!deferred) engine.endDeferral();
  const announce = (...prefixes: string[]) =>
    engine.receiveUpdate(
      0,
      updateOctets({ announce: prefixes, nextHop: '10.1.0.0', asPath: [65011] }),
    );
  const held = (): string[] => {
    speaker.run();
    return speaker
      .routes('ipv4')
      .flatMap(({ prefix, paths }) =>
        paths.map(({ stale }) => `${prefix}${stale ? ' stale' : ''}`),
      );
  };
  return { speaker, engine, announce, held };
}

test('routes of a restarting peer stay as stale until they are announced again; End-of-RIB drops the rest', () => {
  const { speaker, engine, announce, held } = hostWithLeaf();
  announce('10.2.0.0/26', '10.3.0.0/26');
  expect(held()).toEqual(['10.2.0.0/26', '10.3.0.0/26']);
  const told = speaker.kernel.records;

  engine.peerDown(0, ['ipv4', 'ipv6']);
  expect(held()).toEqual(['10.2.0.0/26 stale', '10.3.0.0/26 stale']);
  expect(engine.counters(0)).toMatchObject({ received: { ipv4: 2 }, stale: { ipv4: 2 } });

  engine.peerUp(SESSION);
  announce('10.2.0.0/26');
  expect(held()).toEqual(['10.2.0.0/26', '10.3.0.0/26 stale']);
  // All this time the kernel had nothing to do.
  expect(speaker.kernel.records).toBe(told);

  engine.receiveUpdate(0, endOfRibOctets('ipv4'));
  expect(held()).toEqual(['10.2.0.0/26']);
  expect(engine.endOfRibReceived(0)).toEqual(['ipv4']);
  expect([...speaker.kernel.routes.keys()]).toEqual(['10.2.0.0/26']);
});

test('a peer that restarts during its restart loses what it had not announced again', () => {
  const { engine, announce, held } = hostWithLeaf();
  announce('10.2.0.0/26', '10.3.0.0/26');
  engine.peerDown(0, ['ipv4']);
  engine.peerUp(SESSION);
  announce('10.3.0.0/26');
  engine.peerDown(0, ['ipv4']);
  expect(held()).toEqual(['10.3.0.0/26 stale']);
});

test('stale routes go when their time is up, by family if so told', () => {
  const { engine, announce, held } = hostWithLeaf();
  announce('10.2.0.0/26');
  engine.peerDown(0, ['ipv4', 'ipv6']);
  engine.flushStale(0, ['ipv6']);
  expect(held()).toEqual(['10.2.0.0/26 stale']);
  engine.flushStale(0);
  expect(held()).toEqual([]);
  expect(engine.counters(0)).toMatchObject({ received: { ipv4: 0 }, stale: { ipv4: 0 } });
});

test('a family that the peer comes back without is dropped', () => {
  const { engine, announce, held } = hostWithLeaf();
  announce('10.2.0.0/26');
  engine.peerDown(0, ['ipv4']);
  engine.peerUp({ ...SESSION, families: ['ipv6'] });
  expect(held()).toEqual([]);
});

test('a session that ends without graceful restart takes everything', () => {
  const { engine, announce, held } = hostWithLeaf();
  announce('10.2.0.0/26');
  engine.peerDown(0, []);
  expect(held()).toEqual([]);
});

test('a restarting speaker is silent until its deferral ends; then one pass, and the end of it', () => {
  const speaker = new Speaker(speakerConfig(65101, { originate: ['10.65.0.0/26'] }));
  const { engine } = speaker;
  engine.setInterfaces([link('eth1', ['10.1.0.1/31'])]);
  engine.peerUp({ ...SESSION, families: ['ipv4'] });
  engine.receiveUpdate(
    0,
    updateOctets({ announce: ['10.2.0.0/26'], nextHop: '10.1.0.0', asPath: [65011] }),
  );
  while (engine.step(100));
  expect(engine.hasUpdate(0)).toBe(false);
  expect(speaker.message(0)).toBeUndefined();
  expect(engine.nextRouteBatch(100)).toBeUndefined();

  engine.endDeferral();
  const [announcement, endOfRib, nothing] = [0, 1, 2].map(() => speaker.message(0));
  expect(announcement?.length).toBeGreaterThan(23);
  expect(endOfRib).toEqual(Uint8Array.from([...new Array(16).fill(255), 0, 23, 2, 0, 0, 0, 0]));
  expect(nothing).toBeUndefined();
  expect(engine.hasUpdate(0)).toBe(false);

  const batches = [0, 1, 2].map(() => engine.nextRouteBatch(100));
  expect(
    batches.map((batch) => batch && [batch.family, batch.records.length, batch.endOfRib]),
  ).toEqual([['ipv4', 9, true], ['ipv6', 0, true], undefined]);
});

test('End-of-RIB waits for a table that is still being worked through', () => {
  const { engine, announce } = hostWithLeaf({ deferred: true });
  announce('10.2.0.0/26', '10.3.0.0/26', '10.4.0.0/26');
  engine.endDeferral();
  const batches: (RouteBatch | undefined)[] = [];
  for (let more = true; more; ) {
    more = engine.step(1);
    batches.push(engine.nextRouteBatch(1));
  }
  while (batches.at(-1)) batches.push(engine.nextRouteBatch(1));
  const told = batches.filter((batch) => batch !== undefined);
  expect(told.map(({ family, records, endOfRib }) => [family, records.length, endOfRib])).toEqual([
    ['ipv6', 0, true],
    ['ipv4', 9, false],
    ['ipv4', 9, false],
    ['ipv4', 9, true],
  ]);
});
