import { expect, test } from 'vitest';
import {
  connect,
  disconnect,
  type End,
  link,
  Speaker,
  settle,
  speakerConfig,
} from '../../../test/two-speakers.ts';
import { updateOctets } from '../../../test/update-octets.ts';
import { createSharedTables } from './shared-tables.ts';

/** Host (AS 65101) and leaf (AS 65011) on a /31 and a /127. */
function pair({
  hostRole = 'host',
  originate = ['10.65.0.0/26', 'fd00:65::/122'],
}: {
  hostRole?: 'host' | 'router';
  originate?: string[];
} = {}) {
  const host: End = {
    speaker: new Speaker(speakerConfig(65101, { role: hostRole, originate })),
    asn: 65101,
    address: '10.1.0.1',
    peer: 0,
    routerId: '10.0.0.1',
  };
  const leaf: End = {
    speaker: new Speaker(speakerConfig(65011, { originate: ['10.0.0.11/32', 'fd00::11/128'] })),
    asn: 65011,
    address: '10.1.0.0',
    peer: 0,
    routerId: '10.0.0.11',
  };
  host.speaker.engine.setInterfaces([link('eth1', ['10.1.0.1/31', 'fd00:1::1/127'])]);
  leaf.speaker.engine.setInterfaces([link('swp1', ['10.1.0.0/31', 'fd00:1::/127'])]);
  for (const { speaker } of [host, leaf]) speaker.engine.endDeferral();
  return { host, leaf };
}

test('two speakers exchange what they originate, in both families over one session', () => {
  const { host, leaf } = pair();
  connect(host, leaf);
  settle(host.speaker, leaf.speaker);
  expect(leaf.speaker.best('ipv4')).toEqual(['10.0.0.11/32 own', '10.65.0.0/26 10.1.0.1 65101']);
  expect(leaf.speaker.best('ipv6')).toEqual(['fd00::11/128 own', 'fd00:65::/122 fd00:1::1 65101']);
  expect([...host.speaker.kernel.routes]).toEqual([
    ['10.0.0.11/32', '10.1.0.0@eth1'],
    ['fd00::11/128', 'fd00:1::@eth1'],
  ]);
  expect(host.speaker.kernel.ended).toEqual(['ipv4', 'ipv6']);
  expect(host.speaker.engine.endOfRibReceived(0)).toEqual(['ipv4', 'ipv6']);
  expect(host.speaker.engine.counters(0)).toMatchObject({
    received: { ipv4: 1, ipv6: 1 },
    sent: { ipv4: 1, ipv6: 1 },
    stale: { ipv4: 0, ipv6: 0 },
  });
});

test('without a kernel there are no routes for one, and the same ones for peers', () => {
  const { host, leaf } = pair();
  const config = speakerConfig(65101, { role: 'host', originate: ['10.65.0.0/26'] });
  const speaker = new Speaker(config, { kernelRoutes: false });
  speaker.engine.setInterfaces([link('eth1', ['10.1.0.1/31', 'fd00:1::1/127'])]);
  speaker.engine.endDeferral();
  const end = { ...host, speaker };
  connect(end, leaf);
  settle(speaker, leaf.speaker);
  expect(speaker.best('ipv4')).toEqual(['10.0.0.11/32 10.1.0.0 65011', '10.65.0.0/26 own']);
  expect(leaf.speaker.best('ipv4')).toEqual(['10.0.0.11/32 own', '10.65.0.0/26 10.1.0.1 65101']);
  expect([...speaker.kernel.routes]).toEqual([]);
  expect(speaker.kernel.ended).toEqual(['ipv4', 'ipv6']);
  disconnect(end, leaf);
  settle(speaker, leaf.speaker);
  expect(speaker.best('ipv4')).toEqual(['10.65.0.0/26 own']);
});

test('a lost session takes its routes away', () => {
  const { host, leaf } = pair();
  connect(host, leaf);
  settle(host.speaker, leaf.speaker);
  disconnect(host, leaf);
  settle(host.speaker, leaf.speaker);
  expect(leaf.speaker.best('ipv4')).toEqual(['10.0.0.11/32 own']);
  expect([...leaf.speaker.kernel.routes]).toEqual([]);
});

test('no call does more than its units, whatever is lost at once', () => {
  const { host, leaf } = pair({ originate: [] });
  connect(host, leaf);
  const { engine } = host.speaker;
  for (let i = 0; i < 1000; i += 100) {
    const announce = Array.from({ length: 100 }, (_, j) => `10.${i / 100}.${j}.0/24`);
    const nextHop = '10.1.0.0';
    expect(engine.receiveUpdate(0, updateOctets({ announce, nextHop, asPath: [65011] }))).toBe(
      undefined,
    );
  }
  settle(host.speaker, leaf.speaker);
  const losses = {
    link: () => engine.setInterfaces([link('eth1', ['10.1.0.1/31'], false)]),
    session: () => engine.peerDown(0, []),
  };
  for (const lose of [losses.link, losses.session]) {
    lose();
    for (let before = host.speaker.kernel.records; ; before = host.speaker.kernel.records) {
      const more = engine.step(20);
      let batch = engine.nextRouteBatch(1000);
      while (batch) {
        host.speaker.kernel.apply(batch);
        batch = engine.nextRouteBatch(1000);
      }
      expect(host.speaker.kernel.records - before).toBeLessThanOrEqual(20);
      if (!more) break;
    }
  }
  expect(host.speaker.kernel.routes.size).toBe(0);
  expect(engine.counters(0).received.ipv4).toBe(0);
  expect(host.speaker.routes('ipv4')).toEqual([]);
});

test('speakers that share tables do not see each other’s routes', () => {
  const shared = createSharedTables();
  const speakers = [1, 2, 3].map(
    (n) =>
      new Speaker(speakerConfig(65000 + n, { originate: [`10.65.0.${n}/32`, '10.66.0.0/16'] }), {
        shared,
      }),
  );
  for (const { engine } of speakers) {
    engine.setInterfaces([link('eth0', ['10.1.0.1/24', '10.1.0.2/24'])]);
    engine.endDeferral();
  }
  settle(...speakers);
  expect(speakers.map((speaker) => speaker.best('ipv4'))).toEqual([
    ['10.65.0.1/32 own', '10.66.0.0/16 own'],
    ['10.65.0.2/32 own', '10.66.0.0/16 own'],
    ['10.65.0.3/32 own', '10.66.0.0/16 own'],
  ]);
  expect(shared.prefixes.ipv4.size).toBe(4);
  expect(shared.attributes.size).toBe(1);
  speakers[0]?.engine.configure(speakerConfig(65001));
  settle(...speakers);
  expect(shared.prefixes.ipv4.size).toBe(3);
});

test('a fault in an UPDATE ends the session; one that can be contained costs its routes only', () => {
  const { host, leaf } = pair();
  connect(host, leaf);
  const { engine } = host.speaker;
  const good = { announce: ['10.2.0.0/26'], nextHop: '10.1.0.0', asPath: [65011] };
  engine.receiveUpdate(0, updateOctets(good));
  expect(engine.counters(0).received.ipv4).toBe(1);
  expect(engine.receiveUpdate(0, updateOctets({ ...good, asPath: [65011, 0] }))).toBeUndefined();
  expect(engine.counters(0)).toMatchObject({
    received: { ipv4: 0 },
    refused: { 'treat-as-withdraw': 1 },
  });
  const martians = ['127.0.0.0/8', '224.0.0.0/4', '0.0.0.0/8', '0.0.0.0/0'];
  engine.receiveUpdate(0, updateOctets({ ...good, announce: martians }));
  expect(engine.counters(0)).toMatchObject({ received: { ipv4: 1 }, refused: { martian: 3 } });
  expect(engine.receiveUpdate(0, Uint8Array.of(0))).toMatchObject({ code: 3, subcode: 1 });
});
