import { parseAsn } from '@overland/net';
import { expect, test } from 'vitest';
import {
  connect,
  link,
  peerConfig,
  Speaker,
  sessionWith,
  settle,
  speakerConfig,
} from '../../../test/two-speakers.ts';
import { updateOctets } from '../../../test/update-octets.ts';
import type { PeerConfig } from '../config.ts';

const OWN = 65001;
const LOCAL = 64_900;

/** Paths that the peer (65002) has of us, and that we have of it. */
function paths(config: Partial<PeerConfig>) {
  const us = new Speaker(speakerConfig(OWN, { originate: ['10.65.0.0/26'] }));
  const them = new Speaker(speakerConfig(65002, { originate: ['10.66.0.0/26'] }));
  for (const speaker of [us, them]) speaker.engine.endDeferral();
  us.engine.setInterfaces([link('eth0', ['10.1.0.1/24'])]);
  them.engine.setInterfaces([link('eth0', ['10.1.0.2/24'])]);
  const localAsn = parseAsn(LOCAL);
  connect(
    {
      speaker: us,
      asn: LOCAL,
      address: '10.1.0.1',
      peer: 0,
      config: { localAsn, families: ['ipv4'], defaultOriginate: true, ...config },
    },
    { speaker: them, asn: 65002, address: '10.1.0.2', peer: 0, config: { families: ['ipv4'] } },
  );
  const third = { announce: ['10.67.0.0/26'], nextHop: '10.1.0.9', asPath: [65003] };
  const session = { asn: OWN, address: '10.1.0.1' };
  us.engine.peerUp(sessionWith(1, peerConfig('10.1.0.9', 65003), session));
  expect(us.engine.receiveUpdate(1, updateOctets(third))).toBeUndefined();
  settle(us, them);
  const pathOf = (speaker: Speaker, prefix: string): string =>
    speaker
      .routes('ipv4')
      .filter((route) => route.prefix === prefix)
      .flatMap((route) => route.paths.map(({ asPath }) => asPath.join(' ')))
      .join(', ');
  return {
    own: pathOf(them, '10.65.0.0/26'),
    default: pathOf(them, '0.0.0.0/0'),
    passedOn: pathOf(them, '10.67.0.0/26'),
    received: pathOf(us, '10.66.0.0/26'),
  };
}

test('without a mode the peer and its neighbours see the local AS number alone', () => {
  expect(paths({})).toEqual({
    own: '64900',
    default: '64900',
    passedOn: '64900 65003',
    received: '65002',
  });
});

test("no-prepend: the speaker's own number stays visible behind it", () => {
  expect(paths({ localAsMode: 'no-prepend' })).toEqual({
    own: '64900 65001',
    default: '64900 65001',
    passedOn: '64900 65001 65003',
    received: '65002',
  });
});

test('prepend: it is in front of what comes from the peer, as well', () => {
  expect(paths({ localAsMode: 'prepend' })).toEqual({
    own: '64900 65001',
    default: '64900 65001',
    passedOn: '64900 65001 65003',
    received: '64900 65002',
  });
});

test('with a graceful shutdown, both are done', () => {
  expect(paths({ localAsMode: 'prepend', gracefulShutdown: true })).toMatchObject({
    own: '64900 65001',
    default: '64900 65001',
    received: '64900 65002',
  });
});
