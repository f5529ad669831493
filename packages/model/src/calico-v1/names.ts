import { addressBytes, familyOf, type IpAddress } from '@overland/net';

/** The first eight hexadecimal digits of the SHA-1 of a text: what Calico's converter appends to names it had to change. */
export type ShortHash = (text: string) => string;

/** A node's name of v1 as a name of v3: lower case, `/` as `.`, anything else that is not allowed as `-`. */
export function nodeName(v1: string): string {
  return v1
    .toLowerCase()
    .replaceAll('/', '.')
    .replaceAll(/[^-.a-z0-9]+/g, '-')
    .replaceAll(/[.-]*\.[.-]*/g, '.')
    .replace(/^[.-]+/, '')
    .replace(/[.-]+$/, '');
}

/** Any other name; one that had to be changed gets a hash of the old one, so that no two become the same. */
export function resourceName(v1: string, shortHash: ShortHash): string {
  return qualified(v1, nodeName(v1), shortHash);
}

/** As {@link resourceName}, without dots: a dot in a policy's name says which tier it is in. */
export function policyName(v1: string, shortHash: ShortHash): string {
  return qualified(v1, nodeName(v1).replaceAll('.', '-'), shortHash);
}

/** A profile's name: those of Kubernetes' namespaces are called `kns.` now. */
export function profileName(v1: string, shortHash: ShortHash): string {
  return resourceName(v1.replace(/^k8s_ns\./, 'kns.'), shortHash);
}

/** `192-168-0-1`, `fd00-0000-…`: every group of an IPv6 address in full. */
export function addressName(address: IpAddress): string {
  if (familyOf(address) === 'ipv4') return address.replaceAll('.', '-');
  const view = new DataView(addressBytes(address).buffer);
  const groups = Array.from({ length: 8 }, (_, i) => view.getUint16(2 * i));
  return groups.map((group) => group.toString(16).padStart(4, '0')).join('-');
}

function qualified(v1: string, v3: string, shortHash: ShortHash): string {
  return v1 === v3 ? v1 : `${v3}-${shortHash(v1)}`;
}
