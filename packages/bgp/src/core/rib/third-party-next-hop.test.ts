import { type Family, type IpAddress, parseAddress } from '@overland/net';
import { expect, test } from 'vitest';
import {
  connect,
  type End,
  link,
  Speaker,
  settle,
  speakerConfig,
} from '../../../test/two-speakers.ts';
import { updateOctets } from '../../../test/update-octets.ts';
import type { NextHopMode } from '../config.ts';

const ROUTE = { ipv4: '10.2.0.0/26', ipv6: 'fd00:2::/122' } as const;
const at = (family: Family, host: number): string =>
  family === 'ipv4' ? `10.1.0.${host}` : `fd00:1::${host}`;

interface Setup {
  readonly family: Family;
  readonly nextHop?: NextHopMode;
}

/** A speaker (.1) that learns from one peer (.2) and tells another (.3), all on one link. */
function middle({ family, nextHop = 'auto' }: Setup) {
  const speaker = new Speaker(speakerConfig(65001));
  /** @param ipv4 Length of the subnet that all three are in; so is `ipv6`. Next hop .9 is in another one, too. */
  const links = (ipv4: number, ipv6: number) =>
    speaker.engine.setInterfaces([
      link('eth0', [
        `${at('ipv4', 1)}/${ipv4}`,
        `${at('ipv4', 8)}/29`,
        `${at('ipv6', 1)}/${ipv6}`,
        `${at('ipv6', 8)}/125`,
      ]),
      link('eth1', ['10.3.0.1/24', 'fd00:3::1/64']),
    ]);
  links(24, 64);
  speaker.engine.endDeferral();
  const [feeder, receiver] = [65002, 65003].map((asn, i): End => {
    const other = new Speaker(speakerConfig(asn));
    other.engine.endDeferral();
    const end = { speaker: other, asn, address: at(family, i + 2), peer: 0 };
    const config = { families: [family], nextHop };
    connect({ speaker, asn: 65001, address: at(family, 1), peer: i, config }, end);
    return end;
  }) as [End, End];
  const learn = (via: string, asn = 65002): void => {
    const body = updateOctets({ announce: [ROUTE[family]], nextHop: via, asPath: [asn] });
    expect(speaker.engine.receiveUpdate(0, body)).toBeUndefined();
  };
  const told = (): IpAddress | null | undefined => {
    settle(speaker, feeder.speaker, receiver.speaker);
    return receiver.speaker.routes(family)[0]?.paths[0]?.nextHop;
  };
  return { speaker, links, learn, told };
}

for (const family of ['ipv4', 'ipv6'] as const) {
  const [own, feeder, receiver, other] = [1, 2, 3, 9].map((n) => parseAddress(at(family, n)));

  test(`${family}: an eBGP peer on one subnet with the next hop is sent there directly`, () => {
    const { learn, told } = middle({ family });
    learn(at(family, 2));
    expect(told()).toBe(feeder);
    learn(at(family, 9));
    expect(told()).toBe(other);
  });

  test(`${family}: nobody is told that they are the next hop themselves`, () => {
    const { learn, told } = middle({ family });
    learn(at(family, 3));
    expect(told()).toBe(own);
    expect(told()).not.toBe(receiver);
  });

  test(`${family}: a next hop elsewhere is ours, also when only that has changed`, () => {
    const { learn, told } = middle({ family });
    learn(family === 'ipv4' ? '10.3.0.9' : 'fd00:3::9');
    expect(told()).toBe(own);
    learn(at(family, 9));
    expect(told()).toBe(other);
    learn(family === 'ipv4' ? '10.3.0.9' : 'fd00:3::9');
    expect(told()).toBe(own);
  });

  test(`${family}: self and force insist on ours`, () => {
    for (const nextHop of ['self', 'force'] as const) {
      const { learn, told } = middle({ family, nextHop });
      learn(at(family, 2));
      expect(told()).toBe(own);
    }
  });

  test(`${family}: when the subnet of the link becomes smaller, the peer is told anew`, () => {
    const { learn, links, told } = middle({ family });
    learn(at(family, 9));
    expect(told()).toBe(other);
    // The next hop is on the same link as before, and in a subnet that the peer is not in.
    links(30, 126);
    expect(told()).toBe(own);
    links(24, 64);
    expect(told()).toBe(other);
  });
}

test('IPv6 routes over an IPv4 session have our next hop: where the peer is on IPv6 is not known', () => {
  const speaker = new Speaker(speakerConfig(65001));
  speaker.engine.setInterfaces([link('eth0', ['10.1.0.1/24', 'fd00:1::1/64'])]);
  speaker.engine.endDeferral();
  const receiver = new Speaker(speakerConfig(65003));
  receiver.engine.endDeferral();
  for (const [peer, other, asn] of [
    [0, new Speaker(speakerConfig(65002)), 65002],
    [1, receiver, 65003],
  ] as const) {
    const end = { speaker: other, asn, address: `10.1.0.${peer + 2}`, peer: 0 };
    connect({ speaker, asn: 65001, address: '10.1.0.1', peer }, end);
  }
  const body = updateOctets({ announce: [ROUTE.ipv6], nextHop: 'fd00:1::2', asPath: [65002] });
  speaker.engine.receiveUpdate(0, body);
  settle(speaker, receiver);
  expect(receiver.routes('ipv6')[0]?.paths[0]?.nextHop).toBe('fd00:1::1');
});
