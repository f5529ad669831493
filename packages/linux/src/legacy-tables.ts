import { readFileSync } from 'node:fs';
import type { Family } from '@overland/net';
import { close, getsockoptBytes, socket } from './libc.ts';
import { runInNamespace } from './namespaces.ts';
import { AF } from './netlink/constants.ts';

const FAMILIES = ['ipv4', 'ipv6'] as const;
const SOCK_RAW_CLOEXEC = 3 | 0o2000000;
const IPPROTO_RAW = 255;
/** `SOL_IP`, `SOL_IPV6`. */
const LEVEL = { ipv4: 0, ipv6: 41 } as const;
/** `IPT_SO_GET_INFO`, `IP6T_SO_GET_INFO`. */
const GET_INFO = 64;
/** `struct ipt_getinfo`: a name of 32 octets, hooks, entry points and underflows of 5 hooks, number of rules, size. */
const INFO_OCTETS = 84;

/** Tables of iptables-legacy that a network namespace has. @param namespace Its path; absent: that of this process. */
export function legacyTables(namespace: string | undefined, family: Family): Set<string> {
  const path = `/proc/thread-self/net/${family === 'ipv4' ? 'ip' : 'ip6'}_tables_names`;
  const read = () => {
    try {
      return readFileSync(path, 'utf8');
    } catch {
      // The kernel has not loaded it, or does not have it.
      return '';
    }
  };
  const names = namespace === undefined ? read() : runInNamespace(namespace, read);
  return new Set(names.split('\n').filter((name) => name !== ''));
}

/**
 * What the kernel says of its tables of iptables-legacy in some microseconds: it differs after rules have come or gone. A
 * rule in the place of another one of the same size does not show.
 *
 * @throws {KernelError} If it cannot be asked.
 */
export function legacySignature(namespace: string | undefined): string {
  return FAMILIES.flatMap((family) =>
    Array.from(legacyTables(namespace, family), (table) => {
      const ask = () => infoOf(family, table);
      return `${family} ${table} ${namespace === undefined ? ask() : runInNamespace(namespace, ask)}`;
    }),
  ).join('\n');
}

function infoOf(family: Family, table: string): string {
  const fd = socket(family === 'ipv4' ? AF.ipv4 : AF.ipv6, SOCK_RAW_CLOEXEC, IPPROTO_RAW);
  try {
    const info = new Uint8Array(INFO_OCTETS);
    new TextEncoder().encodeInto(table, info);
    getsockoptBytes(fd, LEVEL[family], GET_INFO, info);
    return info.toString();
  } finally {
    close(fd);
  }
}
