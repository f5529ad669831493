import { cable, netns, type TestNamespace } from '@overland/linux/testing';
import { type Family, type IpAddress, parseAddress } from '@overland/net';

/** A network: the router in a namespace of its own, on one link with all its peers. */
export interface Stage extends AsyncDisposable {
  readonly router: TestNamespace;
  readonly peers: TestNamespace;
}

export const ROUTER_ASN = 65000;
const MOST_FEEDERS = 10;

/**
 * @param receivers How many addresses the peers need.
 * @param links 2: there is another link, `eth2`, with {@link otherLinkAddress} at the far end.
 */
export async function stage(family: Family, receivers: number, links: 1 | 2 = 1): Promise<Stage> {
  await using stack = new AsyncDisposableStack();
  const router = stack.use(await netns());
  const peers = stack.use(await netns());
  const length = family === 'ipv4' ? 16 : 64;
  const addresses = [
    ...Array.from({ length: MOST_FEEDERS }, (_, i) => feederAddress(family, i)),
    ...Array.from({ length: receivers }, (_, i) => receiverAddress(family, i)),
    probeAddress(family),
  ];
  await cable(
    { namespace: router, device: 'eth1', addresses: [`${routerAddress(family)}/${length}`] },
    { namespace: peers, device: 'eth1', addresses: addresses.map((a) => `${a}/${length}`) },
  );
  if (links === 2) {
    const near = family === 'ipv4' ? '10.253.0.1' : 'fd00:253::1';
    await cable(
      { namespace: router, device: 'eth2', addresses: [`${near}/${length}`] },
      { namespace: peers, device: 'eth2', addresses: [`${otherLinkAddress(family)}/${length}`] },
    );
  }
  const kept = stack.move();
  return { router, peers, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

export function routerAddress(family: Family): IpAddress {
  return parseAddress(family === 'ipv4' ? '10.254.0.1' : 'fd00:254::1');
}

export function feederAddress(family: Family, index: number): IpAddress {
  return parseAddress(family === 'ipv4' ? `10.254.1.${index + 1}` : `fd00:254::1:${index + 1}`);
}

export function receiverAddress(family: Family, index: number): IpAddress {
  return parseAddress(family === 'ipv4' ? `10.254.2.${index + 1}` : `fd00:254::2:${index + 1}`);
}

/** Of a next hop on the other link. */
export function otherLinkAddress(family: Family): IpAddress {
  return parseAddress(family === 'ipv4' ? '10.253.1.1' : 'fd00:253::1:1');
}

/** Of the peer that announces one prefix again and again. */
export function probeAddress(family: Family): IpAddress {
  return parseAddress(family === 'ipv4' ? '10.254.3.1' : 'fd00:254::3:1');
}
