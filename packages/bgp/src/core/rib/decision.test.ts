import { parseAddress } from '@overland/net';
import { expect, test } from 'vitest';
import {
  link,
  peerConfig,
  Speaker,
  sessionWith,
  speakerConfig,
} from '../../../test/two-speakers.ts';
import { type UpdateText, updateOctets } from '../../../test/update-octets.ts';

interface Offer extends UpdateText {
  /** Last octet of the peer's address and its number. */
  readonly peer: number;
  readonly asn?: number;
  readonly routerId?: string;
}

const PREFIX = '198.51.100.0/24';
const ASN = 65000;

/** The peers whose paths are chosen, best first, once all offers are in. */
function chosen(
  offers: readonly Offer[],
  multipath = { maxPaths: 1, relaxAsPath: false },
): number[] {
  const speaker = new Speaker(speakerConfig(ASN, { multipath }));
  speaker.engine.setInterfaces([link('eth0', ['10.0.0.254/24'])]);
  speaker.engine.endDeferral();
  for (const { peer, asn = 65000 + peer, routerId = `0.0.0.${peer}`, ...update } of offers) {
    const address = `10.0.0.${peer}`;
    speaker.engine.peerUp(
      sessionWith(
        peer,
        peerConfig(address, asn),
        { asn: ASN, address: '10.0.0.254' },
        {
          peerRouterId: parseAddress(routerId),
        },
      ),
    );
    const body = updateOctets({ announce: [PREFIX], nextHop: address, asPath: [asn], ...update });
    expect(speaker.engine.receiveUpdate(peer, body)).toBeUndefined();
  }
  speaker.run();
  const [route] = speaker.routes('ipv4');
  return (route?.paths ?? [])
    .filter(({ best, multipath: shares }) => best || shares)
    .map(({ peer }) => Number(peer?.split('.').at(-1)));
}

const VECTORS: readonly { name: string; source: string; offers: Offer[]; best: number }[] = [
  {
    name: 'higher LOCAL_PREF beats a shorter path',
    source: 'RFC 4271 section 9.1.1',
    offers: [
      { peer: 1, asn: ASN, localPref: 100, asPath: [65010] },
      { peer: 2, asn: ASN, localPref: 200, asPath: [65010, 65011, 65012] },
    ],
    best: 2,
  },
  {
    name: 'no LOCAL_PREF counts as 100',
    source: 'common default',
    offers: [
      { peer: 1, asPath: [65001] },
      { peer: 2, asn: ASN, localPref: 99, asPath: [] },
    ],
    best: 1,
  },
  {
    name: 'shorter AS_PATH',
    source: 'RFC 4271 section 9.1.2.2 a',
    offers: [
      { peer: 1, asPath: [65001, 65010] },
      { peer: 2, asPath: [65002] },
    ],
    best: 2,
  },
  {
    name: 'lower ORIGIN',
    source: 'RFC 4271 section 9.1.2.2 b',
    offers: [
      { peer: 1, origin: 2 },
      { peer: 2, origin: 0 },
    ],
    best: 2,
  },
  {
    name: 'lower MED of the same neighbouring AS',
    source: 'RFC 4271 section 9.1.2.2 c',
    offers: [
      { peer: 1, asn: 65010, med: 20 },
      { peer: 2, asn: 65010, med: 10 },
    ],
    best: 2,
  },
  {
    name: 'no MED is the lowest MED',
    source: 'RFC 4271 section 9.1.2.2 c',
    offers: [
      { peer: 1, asn: 65010, med: 1 },
      { peer: 2, asn: 65010 },
    ],
    best: 2,
  },
  {
    name: 'MEDs of different AS are not compared',
    source: 'RFC 4271 section 9.1.2.2 c',
    offers: [
      { peer: 1, med: 20 },
      { peer: 2, med: 10 },
    ],
    best: 1,
  },
  {
    name: 'MED beaten within its AS does not shadow another AS',
    source: 'RFC 4271 section 9.1.2.2 c; the order-dependence of pairwise comparison',
    offers: [
      { peer: 1, asn: 65010, med: 20, routerId: '0.0.0.1' },
      { peer: 2, asn: 65020, med: 0, routerId: '0.0.0.2' },
      { peer: 3, asn: 65010, med: 10, routerId: '0.0.0.3' },
    ],
    best: 2,
  },
  {
    name: 'eBGP before iBGP',
    source: 'RFC 4271 section 9.1.2.2 d',
    offers: [
      { peer: 1, asn: ASN, asPath: [65001] },
      { peer: 2, asPath: [65002] },
    ],
    best: 2,
  },
  {
    name: 'lower BGP Identifier',
    source: 'RFC 4271 section 9.1.2.2 f',
    offers: [
      { peer: 1, routerId: '200.0.0.1' },
      { peer: 2, routerId: '10.0.0.1' },
    ],
    best: 2,
  },
  {
    name: 'lower peer address, as a number',
    source: 'RFC 4271 section 9.1.2.2 g',
    offers: [
      { peer: 10, routerId: '1.1.1.1' },
      { peer: 9, routerId: '1.1.1.1' },
    ],
    best: 9,
  },
];

/** All orders of a list. */
function orders<T>(items: readonly T[]): T[][] {
  if (items.length <= 1) return [[...items]];
  return items.flatMap((item, i) =>
    orders(items.filter((_, j) => j !== i)).map((rest) => [item, ...rest]),
  );
}

test.each(VECTORS)('$name ($source)', ({ offers, best }) => {
  for (const order of orders(offers)) expect(chosen(order)).toEqual([best]);
});

test('paths of equal cost share the load if their AS_PATHs are the same, or need not be', () => {
  const offers: Offer[] = [
    { peer: 3, asn: 65010, asPath: [65010, 65030] },
    { peer: 1, asn: 65010, asPath: [65010, 65030], med: 0 },
    { peer: 2, asn: 65020, asPath: [65020, 65030] },
    { peer: 4, asn: 65040, asPath: [65040, 65030, 65050] },
  ];
  for (const order of orders(offers)) {
    expect(chosen(order, { maxPaths: 8, relaxAsPath: false })).toEqual([1, 3]);
    expect(chosen(order, { maxPaths: 8, relaxAsPath: true })).toEqual([1, 2, 3]);
    expect(chosen(order, { maxPaths: 2, relaxAsPath: true })).toEqual([1, 2]);
  }
});
