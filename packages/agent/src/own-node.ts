import type { Datastore } from '@overland/datastore';
import { API_VERSION, type Node } from '@overland/model';
import type { Asn } from '@overland/net';
import { createIfAbsent, updateResource } from './resource-writer.ts';

/** What this host says of itself. */
export interface OwnNode {
  readonly name: string;
  readonly asNumber: Asn | undefined;
  /** With its length; `undefined`: not found now, what is stored stays; `null`: the host has none. */
  readonly ipv4: string | undefined | null;
  readonly ipv6: string | undefined | null;
  readonly labels: Readonly<Record<string, string>>;
}

/** Creates this host's Node or brings it up to date. What others put there stays. */
export async function writeOwnNode(datastore: Datastore, own: OwnNode): Promise<void> {
  const empty: Node = {
    apiVersion: API_VERSION,
    kind: 'Node',
    metadata: { name: own.name },
    spec: {},
  };
  while (!(await updateResource(datastore, 'Node', own, (node) => withOwnFields(node, own)))) {
    if (await createIfAbsent(datastore, withOwnFields(empty, own))) return;
  }
}

/** `node` with what this host knows better. */
function withOwnFields(node: Node, own: OwnNode): Node {
  const { ipv4Address, ipv6Address, ...others } = node.spec.bgp ?? {};
  const ipv4 = own.ipv4 === undefined ? ipv4Address : (own.ipv4 ?? undefined);
  const ipv6 = own.ipv6 === undefined ? ipv6Address : (own.ipv6 ?? undefined);
  const bgp = {
    ...others,
    ...(own.asNumber === undefined ? {} : { asNumber: own.asNumber }),
    ...(ipv4 === undefined ? {} : { ipv4Address: ipv4 }),
    ...(ipv6 === undefined ? {} : { ipv6Address: ipv6 }),
  };
  // The addresses that Calico's node writes; those of other types are Kubernetes' or the operator's.
  const foreign = (node.spec.addresses ?? []).filter(({ type }) => type !== 'CalicoNodeIP');
  const addresses = [ipv4, ipv6].flatMap((address) =>
    address === undefined ? [] : [{ address, type: 'CalicoNodeIP' as const }],
  );
  const { labels = {} } = node.metadata;
  return {
    ...node,
    metadata: { ...node.metadata, labels: { ...labels, ...own.labels } },
    spec: {
      ...node.spec,
      ...(Object.keys(bgp).length === 0 ? {} : { bgp }),
      addresses: [...addresses, ...foreign],
    },
  } as Node;
}
