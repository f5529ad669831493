import { parseAddress, parsePrefix } from '@overland/net';
import { expect, test } from 'vitest';
import {
  link,
  peerConfig,
  Speaker,
  sessionWith,
  settle,
  speakerConfig,
} from '../../../test/two-speakers.ts';
import { updateOctets } from '../../../test/update-octets.ts';
import type { RouteFilter } from '../policy/route-filter.ts';

const ASN = 65000;
const PEER = 1;
const CLUSTERS = ['1.1.1.1', '2.2.2.2'] as const;

/** Prefers a prefix, or all. */
function prefer(prefix: string): RouteFilter {
  return {
    name: 'prefer',
    rules: [
      {
        match: { prefix: { prefix: parsePrefix(prefix), operator: 'in' } },
        action: 'accept',
        set: { localPref: 300 },
      },
    ],
  };
}

test('the last path of a group moves to the next group, which is looked at anew behind it: each is counted once', () => {
  const peer = peerConfig('10.0.0.1', ASN, { families: ['ipv4'], importFilters: ['prefer'] });
  const config = (cluster: string, preferred: string) =>
    speakerConfig(ASN, {
      clusterId: parseAddress(cluster),
      filters: [prefer(preferred)],
      peers: [peer],
    });
  const speaker = new Speaker(config(CLUSTERS[0], '10.1.0.0/16'));
  const { engine } = speaker;
  engine.setInterfaces([link('eth0', ['10.0.0.254/24'])]);
  engine.endDeferral();
  engine.peerUp(sessionWith(PEER, peer, { asn: ASN, address: '10.0.0.254' }));
  // A loop through our cluster: one group of the preferred prefix, and one of the other.
  for (const announce of [['10.1.0.0/24'], ['10.2.0.0/24']]) {
    const reflected = { originatorId: 1, clusterList: [0x0101_0101] };
    engine.receiveUpdate(PEER, updateOctets({ announce, nextHop: '10.0.0.1', ...reflected }));
  }
  settle(speaker);
  expect(engine.counters(PEER)).toMatchObject({ received: { ipv4: 0 }, filtered: { ipv4: 2 } });
  // It is no loop any more, and both are preferred: they become one group.
  engine.configure(config(CLUSTERS[1], '10.0.0.0/8'));
  settle(speaker);
  expect(engine.counters(PEER)).toMatchObject({ received: { ipv4: 2 }, filtered: { ipv4: 0 } });
});
