import {
  affinityPrefix,
  blockKey,
  extensionPrefix,
  IPAM_CONFIG_KEY,
  type Kind,
  parseAffinityKey,
  parseResourceKey,
  resourcePrefix,
} from '@overland/model';
import { policyPrefixes } from './policy-prefixes.ts';
import type { WatchedPrefix } from './watched-entries.ts';

/**
 * The part of the datastore that concerns this host; what is accepted of it is also what its snapshot holds. Other
 * hosts' endpoints are of use to policy only, which keeps what it needs of them.
 */
export function watchedPrefixes(nodeName: string): readonly WatchedPrefix[] {
  const ownEndpoints = `${nodeName.replaceAll('-', '--')}-`;
  return [
    // Addresses of hosts, and pools, decide about translation of addresses.
    { prefix: resourcePrefix('Node'), isPolicy: true },
    ...withExtensions('BGPPeer'),
    ...withExtensions('BGPFilter'),
    ...withExtensions('BGPConfiguration'),
    { prefix: resourcePrefix('IPPool'), isPolicy: true },
    { prefix: IPAM_CONFIG_KEY },
    // With each claim the block itself: it tells which addresses others have borrowed.
    { prefix: affinityPrefix('host', nodeName), companionOf: blockOf },
    {
      prefix: resourcePrefix('WorkloadEndpoint'),
      isPolicy: true,
      accept: (key) => parseResourceKey(key)?.name.name.startsWith(ownEndpoints) ?? false,
    },
    ...policyPrefixes(),
  ];
}

/** Objects of a kind, and their fields that are stored apart. */
function withExtensions(kind: Kind): readonly WatchedPrefix[] {
  const [objects, apart] = [resourcePrefix(kind), extensionPrefix(kind)];
  const halvesOf = (key: string): readonly [string, string] => {
    const name = key.slice(key.startsWith(apart) ? apart.length : objects.length);
    return [objects + name, apart + name];
  };
  return [objects, apart].map((prefix) => ({ prefix, halvesOf }));
}

function blockOf(key: string): string | undefined {
  const claim = parseAffinityKey(key);
  return claim && blockKey(claim.cidr);
}
