import type { NetworkInterfaceInfo } from 'node:os';
import {
  type Family,
  familyOf,
  formatInterfaceAddress,
  type InterfaceAddress,
  isLinkLocal,
  parseAddress,
  parseInterfaceAddress,
} from '@overland/net';

/** As `os.networkInterfaces()` returns them: those that are up, by name. */
export type HostInterfaces = Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>;

/** Calico's `first-found` leaves these out too: they lead to containers, not to the fabric. */
const NOT_UPLINKS =
  /^(docker|cbr|dummy|virbr|lxcbr|veth|cali|tunl|flannel|kube-ipvs|cni|podman|br-|vxlan|wireguard|nodelocaldns|lxd)/;

/**
 * The host's own address of one family, as its Node has it.
 *
 * @param setting `autodetect`, `none`, or a literal address.
 * @returns With its length; `undefined` for `none`, or if nothing is found.
 */
export function nodeAddress(
  family: Family,
  setting: string,
  interfaces: HostInterfaces,
): string | undefined {
  if (setting === 'none') return undefined;
  if (setting !== 'autodetect') return setting;
  const found = detectAddress(family, interfaces);
  return found && formatInterfaceAddress(found);
}

/**
 * A global address of `lo` first: on a routed host that is its identity, whichever uplink works. Then the first
 * interface, in the kernel's order, that leads out.
 */
function detectAddress(family: Family, interfaces: HostInterfaces): InterfaceAddress | undefined {
  const { lo = [], ...others } = interfaces;
  const names = Object.keys(others).filter((name) => !NOT_UPLINKS.test(name));
  return [lo, ...names.map((name) => others[name] ?? [])]
    .flat()
    .flatMap(({ cidr }) => (cidr === null ? [] : [parseInterfaceAddress(cidr)]))
    .find(({ address }) => familyOf(address) === family && isGlobal(address));
}

function isGlobal(address: InterfaceAddress['address']): boolean {
  return !isLinkLocal(address) && address !== LOOPBACK_IPV6 && !address.startsWith('127.');
}

const LOOPBACK_IPV6 = parseAddress('::1');
