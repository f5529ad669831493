import { parseAddress, parsePrefix } from '@overland/net';
import { expect, test } from 'vitest';
import { link, peerConfig, sessionWith, speakerConfig } from '../../../test/two-speakers.ts';
import { type UpdateText, updateOctets } from '../../../test/update-octets.ts';
import { type DescribedMrtRecord, MrtDescriber } from '../mrt/describe-mrt.ts';
import { MrtReader } from '../mrt/mrt-record.ts';
import { createRouteEngine } from './engine.ts';
import type { RouteEngine, TableDumpView } from './route-engine.ts';

const NOW = 1_700_000_000;
const BEFORE = NOW - 60;

/** A speaker with two peers; it refuses what has passed through 65009. */
function speaker(): RouteEngine {
  const filters = [
    {
      name: 'import',
      rules: [
        { match: { asPath: { contains: [65009] } }, action: 'reject' },
        { action: 'accept', set: { localPref: 200 } },
      ],
    },
  ] as never;
  const first = peerConfig('10.0.0.1', 65001, { importFilters: ['import'] });
  const second = peerConfig('fd00::2', 65002);
  const engine = createRouteEngine(
    speakerConfig(65000, {
      filters,
      peers: [first, second],
      originate: ['10.65.0.0/26', 'fd00:65::/64'],
    }),
  );
  engine.setInterfaces([link('eth0', ['10.0.0.9/24', 'fd00::9/64'])]);
  engine.peerUp(sessionWith(0, first, { asn: 65000, address: '10.0.0.9' }));
  engine.peerUp(
    sessionWith(
      1,
      second,
      { asn: 65000, address: 'fd00::9' },
      { peerRouterId: parseAddress('192.0.2.3') },
    ),
  );
  engine.endDeferral();
  return engine;
}

function say(engine: RouteEngine, peer: number, update: UpdateText): void {
  expect(engine.receiveUpdate(peer, updateOctets(update))).toBeUndefined();
  while (engine.step(1000));
}

function dump(engine: RouteEngine, view: TableDumpView, between = () => {}): DescribedMrtRecord[] {
  const options = { view, nowSeconds: NOW, upSinceSeconds: () => BEFORE };
  const running = engine.dump(options);
  const reader = new MrtReader();
  const describer = new MrtDescriber();
  const described: DescribedMrtRecord[] = [];
  for (let piece = running.next(1); piece; piece = running.next(1)) {
    reader.push(piece);
    for (let record = reader.next(); record; record = reader.next()) {
      described.push(describer.describe(record));
    }
    between();
  }
  reader.end();
  return described;
}

/** Prefixes with what came from whom: `10.1.0.0/16 65001 via 10.0.0.1 pref 200`. */
function lines(records: readonly DescribedMrtRecord[]): string[] {
  return records.flatMap(({ prefix, entries = [] }) =>
    entries.map(({ peer, attributes }) => {
      const value = (name: string) => attributes.find((one) => one.name === name)?.value;
      const reach = value('MP_REACH_NLRI') as { nextHops: string[] } | undefined;
      const nextHop = value('NEXT_HOP') ?? reach?.nextHops.join(' ');
      return `${prefix} ${peer?.asn} via ${nextHop} pref ${value('LOCAL_PREF') ?? '-'}`;
    }),
  );
}

const IPV4 = { nextHop: '10.0.0.1', asPath: [65001] };

test('every path, with its peer, its next hop, and attributes as import made them', () => {
  const engine = speaker();
  say(engine, 0, { ...IPV4, announce: ['10.1.0.0/16', '10.2.0.0/16'] });
  say(engine, 0, { ...IPV4, asPath: [65001, 65009], announce: ['10.9.0.0/16'] });
  say(engine, 1, { announce: ['2001:db8::/32'], nextHop: 'fd00::2', asPath: [65002] });
  say(engine, 1, { announce: ['10.1.0.0/16'], nextHop: '10.0.0.2', asPath: [65002] });

  const records = dump(engine, 'accepted');
  expect(records[0]).toMatchObject({
    type: 'peer-index',
    collectorId: '192.0.2.1',
    viewName: 'accepted',
    peers: [
      { routerId: '192.0.2.1', address: '0.0.0.0', asn: 65000 },
      { routerId: '192.0.2.2', address: '10.0.0.1', asn: 65001 },
      { routerId: '192.0.2.3', address: 'fd00::2', asn: 65002 },
    ],
  });
  expect(lines(records).toSorted()).toEqual([
    '10.1.0.0/16 65001 via 10.0.0.1 pref 200',
    '10.1.0.0/16 65002 via 10.0.0.2 pref -',
    '10.2.0.0/16 65001 via 10.0.0.1 pref 200',
    '10.65.0.0/26 65000 via 0.0.0.0 pref -',
    '2001:db8::/32 65002 via fd00::2 pref -',
    'fd00:65::/64 65000 via :: pref -',
  ]);
  const learned = records.find(({ prefix }) => prefix === '10.2.0.0/16');
  expect(learned?.entries).toMatchObject([{ originatedSeconds: BEFORE }]);

  expect(lines(dump(engine, 'received')).toSorted()).toEqual([
    '10.1.0.0/16 65001 via 10.0.0.1 pref -',
    '10.1.0.0/16 65002 via 10.0.0.2 pref -',
    '10.2.0.0/16 65001 via 10.0.0.1 pref -',
    '10.65.0.0/26 65000 via 0.0.0.0 pref -',
    '10.9.0.0/16 65001 via 10.0.0.1 pref -',
    '2001:db8::/32 65002 via fd00::2 pref -',
    'fd00:65::/64 65000 via :: pref -',
  ]);
});

test('what changes while a dump is written is there or not, and the file stays whole', () => {
  const engine = speaker();
  const prefixes = Array.from({ length: 200 }, (_, i) => parsePrefix(`10.128.${i}.0/24`));
  say(engine, 0, { ...IPV4, announce: prefixes });
  let at = 0;
  const records = dump(engine, 'accepted', () => {
    say(engine, 0, { withdraw: [prefixes[199 - at] ?? '10.0.0.0/8'] });
    say(engine, 0, { ...IPV4, announce: [`10.129.${at}.0/24`] });
    at = Math.min(at + 1, 199);
  });
  const dumped = lines(records).map((line) => line.split(' ')[0]);
  expect(dumped).toContain('10.128.0.0/24');
  expect(dumped).toContain('fd00:65::/64');
  expect(new Set(dumped).size).toBe(dumped.length);
});

test('routes of a peer that has gone are not dumped', () => {
  const engine = speaker();
  say(engine, 0, { ...IPV4, announce: ['10.1.0.0/16'] });
  engine.peerDown(0, []);
  expect(lines(dump(engine, 'received'))).toEqual([
    '10.65.0.0/26 65000 via 0.0.0.0 pref -',
    'fd00:65::/64 65000 via :: pref -',
  ]);
});

test('path identifiers are told where a peer gives them (RFC 8050)', () => {
  const feeder = peerConfig('10.0.0.1', 65001);
  const engine = createRouteEngine(speakerConfig(65000, { peers: [feeder] }));
  engine.setInterfaces([link('eth0', ['10.0.0.9/24'])]);
  const session = sessionWith(0, feeder, { asn: 65000, address: '10.0.0.9' });
  engine.peerUp({ ...session, addPath: { receive: ['ipv4'], send: [] } });
  for (const [pathId, med] of [
    [42, 1],
    [43, 2],
  ] as const) {
    const plain = updateOctets({ ...IPV4, announce: ['10.0.0.0/8'], med });
    // The NLRI is the last two octets.
    const octets = Uint8Array.of(...plain.slice(0, -2), 0, 0, 0, pathId, ...plain.slice(-2));
    expect(engine.receiveUpdate(0, octets)).toBeUndefined();
  }
  const ribs = dump(engine, 'received').filter(({ type }) => type === 'rib');
  expect(ribs).toHaveLength(1);
  expect(ribs[0]?.entries?.map(({ pathId }) => pathId).toSorted()).toEqual([42, 43]);
});
