import type { InterfaceState, PeerConfig } from '@overland/bgp';
import { cable, netns, type TestNamespace } from '@overland/linux/testing';
import { type Asn, parseInterfaceAddress } from '@overland/net';
import { peer } from './speaker.ts';

/** One side of us: the neighbour's AS number, and both ends of the link to it. */
export interface Side {
  readonly asn: number;
  readonly ours: { readonly ipv4: string; readonly ipv6: string };
  readonly theirs: { readonly ipv4: string; readonly ipv6: string };
}

export const LEFT: Side = {
  asn: 65011,
  ours: { ipv4: '10.1.0.0', ipv6: 'fd00:1::' },
  theirs: { ipv4: '10.1.0.1', ipv6: 'fd00:1::1' },
};

export const RIGHT: Side = {
  asn: 4200000012,
  ours: { ipv4: '10.2.0.0', ipv6: 'fd00:2::' },
  theirs: { ipv4: '10.2.0.1', ipv6: 'fd00:2::1' },
};

/** A router of ours between two neighbours, each on a link of its own: what the left one sends, the right one gets. */
export interface Transit extends AsyncDisposable {
  readonly left: TestNamespace;
  readonly router: TestNamespace;
  readonly right: TestNamespace;
}

export async function transit(): Promise<Transit> {
  const [left, router, right] = [await netns(), await netns(), await netns()];
  for (const [namespace, device, side] of [
    [left, 'left', LEFT],
    [right, 'right', RIGHT],
  ] as const) {
    const [ours, theirs] = [side.ours, side.theirs].map((end) => [
      `${end.ipv4}/31`,
      `${end.ipv6}/127`,
    ]);
    await cable(
      { namespace: router, device, addresses: ours ?? [] },
      { namespace, device: 'eth0', addresses: theirs ?? [] },
    );
  }
  return {
    left,
    router,
    right,
    async [Symbol.asyncDispose]() {
      for (const namespace of [left, router, right]) await namespace[Symbol.asyncDispose]();
    },
  };
}

/** What the router's speaker is told of its interfaces. */
export const TRANSIT_INTERFACES: readonly InterfaceState[] = (
  [
    ['left', LEFT],
    ['right', RIGHT],
  ] as const
).map(([name, { ours }]) => ({
  name,
  usable: true,
  addresses: [`${ours.ipv4}/31`, `${ours.ipv6}/127`].map(parseInterfaceAddress),
}));

/** A session for each family with each side: `left4`, `left6`, `right4`, `right6`. */
export function transitPeers(): PeerConfig[] {
  return [['left', LEFT] as const, ['right', RIGHT] as const].flatMap(([name, { asn, theirs }]) => [
    peer(`${name}4`, theirs.ipv4, { asn: asn as Asn }),
    peer(`${name}6`, theirs.ipv6, { asn: asn as Asn }),
  ]);
}
