import type { Labels } from '@overland/model';
import { ADDRESS_BITS, familyOf, type IpAddress, type Prefix, prefixOf } from '@overland/net';

/** An endpoint or a network set that has an address. */
export interface AddressHolder {
  /** Kind and name: `WorkloadEndpoint prod/h1-cni-a-eth0`, `GlobalNetworkSet office`. */
  readonly key: string;
  /** Its own labels, without inherited ones. */
  readonly labels: Labels;
}

interface Source {
  readonly labelClass: { readonly own: Labels };
  readonly members: readonly (Prefix | IpAddress)[];
}

/** Who has these addresses: the one with the narrowest prefix. Walks all sources once, however many addresses there are. */
export function addressHolders(
  addresses: Iterable<IpAddress>,
  sources: Iterable<readonly [string, Source]>,
): Map<IpAddress, AddressHolder> {
  // By whatever a source could have that holds the address.
  const wanted = new Map<string, { readonly of: Set<IpAddress>; readonly length: number }>();
  for (const address of addresses) {
    const bits = ADDRESS_BITS[familyOf(address)];
    wanted.set(address, { of: new Set([address]), length: bits });
    for (let length = 0; length < bits; length++) {
      const prefix = prefixOf(address, length);
      const known = wanted.get(prefix);
      if (known) known.of.add(address);
      else wanted.set(prefix, { of: new Set([address]), length });
    }
  }
  const found = new Map<IpAddress, AddressHolder & { readonly length: number }>();
  for (const [key, { members, labelClass }] of sources) {
    for (const member of members) {
      const hit = wanted.get(member);
      if (!hit) continue;
      for (const address of hit.of) {
        if ((found.get(address)?.length ?? -1) >= hit.length) continue;
        found.set(address, { key, labels: labelClass.own, length: hit.length });
      }
    }
  }
  return new Map(Array.from(found, ([address, { key, labels }]) => [address, { key, labels }]));
}
