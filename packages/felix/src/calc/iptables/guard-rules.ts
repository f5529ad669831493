import { familyOf } from '@overland/net';
import type { EndpointFilter } from '../policy-state.ts';
import type { Version } from './names.ts';
import { clearMark, comment, hasNoMark, MARK, setMark } from './words.ts';

/** Routers tell of themselves, and of better ways (RFC 4861): a workload is none. */
const OF_ROUTERS = [134, 137];

/**
 * What comes from a workload has an address of its own, or one that it may have besides. Without an address yet it may ask for
 * one (DHCP), and speak to its neighbours.
 */
export function sourceRules(
  { addresses, guard }: EndpointFilter,
  version: Version,
  maySpoof: boolean,
): string[] {
  const own = [...addresses, ...(maySpoof ? (guard?.spoofable ?? []) : [])];
  const sources = own.filter((source) => familyOf(source) === `ipv${version}`);
  const isOwn = setMark(MARK.all);
  return [
    ...(guard?.mac === undefined ? [] : [`-m mac ! --mac-source ${guard.mac} -j DROP`]),
    clearMark(MARK.all),
    ...sources.map((source) => `-s ${source} ${isOwn}`),
    version === 4
      ? `-s 0.0.0.0/32 -p 17 -m udp --sport 68 --dport 67 ${isOwn}`
      : `-s fe80::/10 ${isOwn}`,
    `${comment('Drop spoofed sources')} ${hasNoMark(MARK.all)} -j DROP`,
  ];
}

/** What no workload may send to its host. */
export function hostGuardRules(version: Version): string[] {
  // Its interface may route to the host's 127/8, for ports of the host: it answers there, and begins nothing.
  if (version === 4) {
    return ['-d 127.0.0.0/8 -m conntrack ! --ctstate RELATED,ESTABLISHED -j DROP'];
  }
  return OF_ROUTERS.map((type) => `-p 58 -m icmp6 --icmpv6-type ${type} -j DROP`);
}
