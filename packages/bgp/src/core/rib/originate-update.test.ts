import { expect, test } from 'vitest';
import { connect, link, Speaker, settle, speakerConfig } from '../../../test/two-speakers.ts';
import { updateOctets } from '../../../test/update-octets.ts';
import { decodeMrt } from '../mrt/decode-mrt.ts';
import { MrtDescriber } from '../mrt/describe-mrt.ts';
import { MrtReader } from '../mrt/mrt-record.ts';
import { updateOfRib } from '../mrt/update-of-rib.ts';

function pair() {
  const source = new Speaker(speakerConfig(65001, { originate: ['10.65.0.0/26'] }));
  const sink = new Speaker(speakerConfig(65002));
  source.engine.setInterfaces([link('eth0', ['10.0.0.1/24', 'fd00::1/64'])]);
  sink.engine.setInterfaces([link('eth0', ['10.0.0.2/24', 'fd00::2/64'])]);
  connect(
    { speaker: source, asn: 65001, address: '10.0.0.1', peer: 0 },
    { speaker: sink, asn: 65002, address: '10.0.0.2', peer: 7 },
  );
  for (const { engine } of [source, sink]) engine.endDeferral();
  return { source, sink };
}

/** `10.1.0.0/16 65001 65009 via 10.0.0.1 med 7`. */
function routesOf(speaker: Speaker): string[] {
  return (['ipv4', 'ipv6'] as const).flatMap((family) =>
    speaker.engine
      .routes({ family, limit: 100 })
      .routes.flatMap(({ prefix, paths }) =>
        paths.map(
          ({ asPath, nextHop, med }) =>
            `${prefix} ${asPath.join(' ')} via ${nextHop} med ${med ?? '-'}`,
        ),
      ),
  );
}

const RECORDED = { nextHop: '192.0.2.9', asPath: [65009, 65010], med: 7 };

test('routes of an UPDATE go on with their attributes, by us, beside what we originate, and are taken back', () => {
  const { source, sink } = pair();
  const take = (update: Parameters<typeof updateOctets>[0]): boolean =>
    source.engine.originateUpdate(updateOctets(update), true);
  expect(take({ ...RECORDED, announce: ['10.1.0.0/16', '10.2.0.0/16'] })).toBe(true);
  expect(take({ ...RECORDED, nextHop: '2001:db8::9', announce: ['fd00:1::/64'] })).toBe(true);
  settle(source, sink);
  expect(routesOf(sink)).toEqual([
    '10.1.0.0/16 65001 65009 65010 via 10.0.0.1 med -',
    '10.2.0.0/16 65001 65009 65010 via 10.0.0.1 med -',
    '10.65.0.0/26 65001 via 10.0.0.1 med -',
    'fd00:1::/64 65001 65009 65010 via fd00::1 med -',
  ]);
  expect(take({ withdraw: ['10.1.0.0/16'] })).toBe(true);
  settle(source, sink);
  expect(routesOf(sink).map((line) => line.split(' ')[0])).toEqual([
    '10.2.0.0/16',
    '10.65.0.0/26',
    'fd00:1::/64',
  ]);
});

test('what is malformed is not taken', () => {
  const { source } = pair();
  expect(source.engine.originateUpdate(Uint8Array.of(0, 9), true)).toBe(false);
  const noOrigin = updateOctets({
    announce: ['10.1.0.0/16'],
    nextHop: '192.0.2.9',
    origin: 9 as 0,
  });
  expect(source.engine.originateUpdate(noOrigin, true)).toBe(false);
  expect(routesOf(source)).toHaveLength(1);
});

test('a table dump of one speaker is what another one says', () => {
  const { source } = pair();
  source.engine.originateUpdate(
    updateOctets({ ...RECORDED, announce: ['10.1.0.0/16', '10.2.0.0/16'] }),
    true,
  );
  source.engine.originateUpdate(
    updateOctets({ ...RECORDED, nextHop: '2001:db8::9', announce: ['fd00:1::/64'] }),
    true,
  );
  const dump = source.engine.dump({
    view: 'accepted',
    nowSeconds: 0,
    upSinceSeconds: () => undefined,
  });
  const reader = new MrtReader();
  const { source: other } = pair();
  for (let piece = dump.next(100); piece; piece = dump.next(100)) {
    reader.push(piece);
    for (let record = reader.next(); record; record = reader.next()) {
      expect(new MrtDescriber().describe(record)).toBeDefined();
      const message = decodeMrt(record);
      if (message.type !== 'rib') continue;
      for (const { attributes } of message.entries) {
        const body = updateOfRib(message.family, message.nlri, attributes);
        expect(other.engine.originateUpdate(body, true)).toBe(true);
      }
    }
  }
  expect(routesOf(other)).toEqual(routesOf(source));
});
