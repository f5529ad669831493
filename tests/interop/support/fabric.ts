import type { InterfaceState } from '@overland/bgp';
import { cable, netns, type TestNamespace } from '@overland/linux/testing';
import { parseInterfaceAddress } from '@overland/net';

export const OURS = { ipv4: '10.1.0.0', ipv6: 'fd00:1::' } as const;
export const THEIRS = { ipv4: '10.1.0.1', ipv6: 'fd00:1::1' } as const;

/** A host of ours and a leaf of somebody else's, on one link. */
export interface Fabric extends AsyncDisposable {
  readonly host: TestNamespace;
  readonly leaf: TestNamespace;
}

export async function fabric(): Promise<Fabric> {
  const [host, leaf] = [await netns(), await netns()];
  await cable(
    { namespace: host, device: 'eth1', addresses: [`${OURS.ipv4}/31`, `${OURS.ipv6}/127`] },
    { namespace: leaf, device: 'eth1', addresses: [`${THEIRS.ipv4}/31`, `${THEIRS.ipv6}/127`] },
  );
  return {
    host,
    leaf,
    async [Symbol.asyncDispose]() {
      await host[Symbol.asyncDispose]();
      await leaf[Symbol.asyncDispose]();
    },
  };
}

/** What the host's speaker is told of its interfaces. */
export const INTERFACES: readonly InterfaceState[] = [
  {
    name: 'eth1',
    usable: true,
    addresses: [`${OURS.ipv4}/31`, `${OURS.ipv6}/127`].map(parseInterfaceAddress),
  },
];
