import { comparePrefixes, type Prefix, parsePrefix } from '@overland/net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { connect, link, Speaker, settle, speakerConfig } from '../../../test/two-speakers.ts';
import type { RouteQuery } from './route-engine.ts';

const IPV4 = { family: 'ipv4', limit: 1000 } as const;

/** One that originates, another that learns it all. */
function pair(originate: readonly string[], asn = 65001) {
  const source = new Speaker(speakerConfig(asn, { originate }));
  const sink = new Speaker(speakerConfig(65002, { originate: ['10.99.0.0/24'] }));
  source.engine.setInterfaces([link('eth0', ['10.0.0.1/24', 'fd00::1/64'])]);
  sink.engine.setInterfaces([link('eth0', ['10.0.0.2/24', 'fd00::2/64'])]);
  connect(
    { speaker: source, asn, address: '10.0.0.1', peer: 0 },
    { speaker: sink, asn: 65002, address: '10.0.0.2', peer: 7 },
  );
  for (const { engine } of [source, sink]) engine.endDeferral();
  settle(source, sink);
  return { source, sink };
}

function search(speaker: Speaker, query: RouteQuery, units = 1): Prefix[] {
  const found = speaker.engine.search(query);
  while (found.step(units));
  return found.result().routes.map(({ prefix }) => prefix);
}

test('a prefix alone, with what is inside it, and the longest that covers an address', () => {
  const { sink } = pair(['10.0.0.0/8', '10.1.0.0/16', '10.1.2.0/24', '10.2.0.0/16']);
  const find = (text: string, match: 'exact' | 'longer' | 'longest') =>
    search(sink, { ...IPV4, prefix: { prefix: parsePrefix(text), match } });
  expect(find('10.1.0.0/16', 'exact')).toEqual(['10.1.0.0/16']);
  expect(find('10.1.0.0/17', 'exact')).toEqual([]);
  expect(find('10.1.0.0/16', 'longer')).toEqual(['10.1.0.0/16', '10.1.2.0/24']);
  expect(find('10.0.0.0/15', 'longer')).toEqual(['10.1.0.0/16', '10.1.2.0/24']);
  expect(find('0.0.0.0/0', 'longer')).toHaveLength(5);
  expect(find('10.1.2.3/32', 'longest')).toEqual(['10.1.2.0/24']);
  expect(find('10.3.0.0/16', 'longest')).toEqual(['10.0.0.0/8']);
  expect(find('11.0.0.1/32', 'longest')).toEqual([]);
});

test('IPv6 prefixes beyond the first word', () => {
  const { sink } = pair(['2001:db8:0:1::/64', '2001:db8:0:1:8000::/65', '2001:db8:0:2::/64']);
  const prefix = { prefix: parsePrefix('2001:db8:0:1::/64'), match: 'longer' } as const;
  expect(search(sink, { family: 'ipv6', limit: 10, prefix })).toEqual([
    '2001:db8:0:1::/64',
    '2001:db8:0:1:8000::/65',
  ]);
});

test('by peer, and what a peer has from us with the next hop that it was sent', () => {
  const { source, sink } = pair(['10.1.0.0/16']);
  expect(search(sink, { ...IPV4, from: 7 })).toEqual(['10.1.0.0/16']);
  expect(search(sink, { ...IPV4, from: 3 })).toEqual([]);
  const { routes } = sink.engine.routes({ ...IPV4, advertisedTo: 7 });
  expect(routes).toMatchObject([
    { prefix: '10.99.0.0/24', paths: [{ peer: null, nextHop: '10.0.0.2', best: true }] },
  ]);
  expect(search(source, { ...IPV4, advertisedTo: 5 })).toEqual([]);
});

test('what import rules refuse is apart, with why', () => {
  const { sink } = pair(['10.1.0.0/16']);
  const looping = new Speaker(speakerConfig(65003, { originate: ['10.3.0.0/16'] }));
  looping.engine.setInterfaces([link('eth0', ['10.0.0.3/24'])]);
  connect(
    { speaker: looping, asn: 65002, address: '10.0.0.3', peer: 0 },
    { speaker: sink, asn: 65003, address: '10.0.0.2', peer: 8 },
    { localAsn: 65002 as never },
  );
  looping.engine.endDeferral();
  settle(looping, sink);
  expect(search(sink, { ...IPV4, paths: 'refused' })).toEqual(['10.3.0.0/16']);
  expect(search(sink, { ...IPV4, paths: 'accepted' })).toEqual(['10.1.0.0/16', '10.99.0.0/24']);
  expect(search(sink, IPV4)).toHaveLength(3);
  const { routes } = sink.engine.routes({ ...IPV4, paths: 'refused' });
  expect(routes[0]?.paths).toMatchObject([{ refused: 'as-path-loop', best: false }]);
});

/** More than a window holds. */
const MANY = Array.from({ length: 20_000 }, (_, i) => `10.${i >> 8}.${i & 255}.0/24`);

test('pages of any size are the sorted table, whatever window they come from', () => {
  const shuffled = MANY.toSorted((a, b) => ((a.length * 7 + b.charCodeAt(4)) % 3) - 1);
  const { source } = pair(shuffled);
  const expected = [...MANY, '10.99.0.0/24'].map(parsePrefix).toSorted(comparePrefixes);
  fc.assert(
    fc.property(
      fc.integer({ min: 300, max: 1000 }),
      fc.integer({ min: 1000, max: 30_000 }),
      (limit, units) => {
        const listed: Prefix[] = [];
        for (let after: Prefix | undefined; ; ) {
          const found = source.engine.search({ family: 'ipv4', limit, ...(after && { after }) });
          while (found.step(units));
          const page = found.result();
          listed.push(...page.routes.map(({ prefix }) => prefix));
          if (page.next === undefined) break;
          after = page.next;
        }
        expect(listed.join(' ')).toBe(expected.join(' '));
      },
    ),
    { numRuns: 3 },
  );
});

test('a table that changes between pages: what stays is listed once, in order', () => {
  const { source } = pair(MANY);
  const first = source.engine.routes(IPV4);
  const gone = MANY.filter((_, i) => i % 2 === 1);
  const fresh = gone.map((_, i) => `172.16.${i & 255}.${i >> 8}/32`);
  const kept = MANY.filter((_, i) => i % 2 === 0);
  const config = speakerConfig(65001, { originate: kept });
  source.engine.configure(config);
  settle(source);
  // Ids of those that have gone are used again, for prefixes behind all others.
  source.engine.configure({
    ...config,
    originate: [...config.originate, ...fresh.map(parsePrefix)],
  });
  settle(source);
  const listed = first.routes.map(({ prefix }) => prefix);
  for (let after = first.next; after; ) {
    const page = source.engine.routes({ ...IPV4, after });
    listed.push(...page.routes.map(({ prefix }) => prefix));
    after = page.next;
  }
  expect(listed.join(' ')).toBe([...new Set(listed)].toSorted(comparePrefixes).join(' '));
  const found = new Set<string>(listed);
  expect([...kept, ...fresh].filter((text) => !found.has(text))).toEqual([]);
});
