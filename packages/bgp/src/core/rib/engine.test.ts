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

test('a lost session takes its routes away', () => {
  const { host, leaf } = pair();
  connect(host, leaf);
  settle(host.speaker, leaf.speaker);
  disconnect(host, leaf);
  settle(host.speaker, leaf.speaker);
  expect(leaf.speaker.best('ipv4')).toEqual(['10.0.0.11/32 own']);
  expect([...leaf.speaker.kernel.routes]).toEqual([]);
});
