import { parseAsn } from '@overland/net';
import { expect, test } from 'vitest';
import {
  link,
  peerConfig,
  Speaker,
  sessionWith,
  settle,
  speakerConfig,
} from '../../../test/two-speakers.ts';
import { type UpdateText, updateOctets } from '../../../test/update-octets.ts';
import type { EstablishedSession, PeerConfig, RouteFilter } from '../index.ts';

const FEEDER = 1;
const RECEIVER = 2;
const LOCAL = { asn: 65000, address: '10.1.0.254' };

/** A speaker (AS 65000) that has learned a route from AS 65001, and what it shows of it towards the receiver. */
function advertised(
  update: UpdateText,
  receiver: Partial<PeerConfig> = {},
  options: { session?: Partial<EstablishedSession>; filters?: readonly RouteFilter[] } = {},
) {
  const to = peerConfig('10.1.0.2', 65002, { families: ['ipv4'], ...receiver });
  const speaker = new Speaker(speakerConfig(65000, { filters: options.filters ?? [] }));
  speaker.engine.setInterfaces([link('eth1', ['10.1.0.254/24'])]);
  speaker.engine.endDeferral();
  const feeder = peerConfig('10.1.0.1', 65001);
  speaker.engine.peerUp(sessionWith(FEEDER, feeder, LOCAL));
  speaker.engine.peerUp(sessionWith(RECEIVER, to, LOCAL, options.session));
  speaker.plug(RECEIVER, () => {});
  const body = updateOctets({ nextHop: '10.1.0.1', asPath: [65001], ...update });
  expect(speaker.engine.receiveUpdate(FEEDER, body)).toBeUndefined();
  settle(speaker);
  const { routes } = speaker.engine.routes({ family: 'ipv4', limit: 9, advertisedTo: RECEIVER });
  return routes.map(({ prefix, paths }) => ({ prefix, ...paths[0] }));
}

const ROUTE: UpdateText = { announce: ['10.9.0.0/16'], med: 7, communities: [0xfde8_0001] };

test('an eBGP peer gets our AS number in front, no MED of others, and our next hop if it insists', () => {
  expect(advertised(ROUTE, { nextHop: 'self' })).toMatchObject([
    {
      prefix: '10.9.0.0/16',
      peer: '10.1.0.1',
      best: true,
      asPath: [65000, 65001],
      med: null,
      localPref: null,
      communities: ['65000:1'],
      nextHop: '10.1.0.254',
    },
  ]);
});

test('what export filters change is shown changed', () => {
  const filters: RouteFilter[] = [
    {
      name: 'out',
      rules: [
        {
          action: 'accept',
          set: {
            prepend: [parseAsn(65000), parseAsn(65000)],
            med: 30,
            communities: { set: ['65000:2', '65000:3:4'] },
          },
        },
      ],
    },
  ];
  expect(advertised(ROUTE, { exportFilters: ['out'] }, { filters })).toMatchObject([
    {
      asPath: [65000, 65000, 65000, 65001],
      med: 30,
      communities: ['65000:2', '65000:3:4'],
    },
  ]);
});

test('an iBGP peer gets LOCAL_PREF; AS numbers are whole even where the peer reads two octets', () => {
  const ibgp = { asn: parseAsn(65000) };
  expect(advertised(ROUTE, ibgp)).toMatchObject([{ asPath: [65001], med: 7, localPref: 100 }]);
  const wide = { ...ROUTE, asPath: [4_200_000_000] };
  expect(advertised(wide, {}, { session: { fourOctetAs: false } })).toMatchObject([
    { asPath: [65000, 4_200_000_000] },
  ]);
});

test('a default route that only the peer is offered is among what it has', () => {
  const routes = advertised(ROUTE, { defaultOriginate: true });
  expect(routes).toMatchObject([
    { prefix: '0.0.0.0/0', peer: null, best: true, asPath: [65000], nextHop: '10.1.0.254' },
    { prefix: '10.9.0.0/16' },
  ]);
});
