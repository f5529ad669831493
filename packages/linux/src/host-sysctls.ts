import { KernelError, type Sysctls } from './ports.ts';

/** One kernel setting that a host needs. */
export interface HostSysctl {
  /** As for {@link Sysctls}. */
  readonly key: string;
  readonly value: string;
  /** `at-least`: a larger number that somebody else chose is as good. */
  readonly rule: 'exactly' | 'at-least';
  /** Why, in one sentence for an operator. */
  readonly reason: string;
}

/** Stands for each uplink in turn. */
const UPLINK = '{uplink}';

const exactly = (key: string, value: number, reason: string): HostSysctl => {
  return { key, value: String(value), rule: 'exactly', reason };
};

const atLeast = (key: string, value: number, reason: string): HostSysctl => {
  return { key, value: String(value), rule: 'at-least', reason };
};

const HASH =
  'Flows between the same two hosts spread over all leaves only if ports are hashed too.';
const LINKDOWN = 'A route through a link without carrier must lose to the other paths at once.';
const NEIGHBOURS =
  'The table is shared by all network namespaces: two entries per container and family, and overflow drops packets.';

/**
 * Every kernel setting of a host, in the order in which it must be applied. `docs/architecture.md` section 7.
 *
 * Before IPv6 forwarding: turning it on deletes default routes learned from router advertisements, unless
 * accept_ra is 2 by then. Before everything of IPv4: turning ip_forward on resets the interfaces' settings.
 */
const TABLE: readonly HostSysctl[] = [
  exactly('net.ipv4.ip_forward', 1, 'A host is the router of its containers.'),
  exactly(
    `net.ipv6.conf.${UPLINK}.accept_ra`,
    2,
    'With forwarding on, the host would otherwise ignore router advertisements and lose its own default route.',
  ),
  exactly('net.ipv6.conf.all.forwarding', 1, 'A host is the router of its containers.'),
  exactly(
    `net.ipv4.conf.${UPLINK}.rp_filter`,
    2,
    'With two uplinks an answer may come in by the other one; a strict filter would drop it.',
  ),
  exactly('net.ipv4.fib_multipath_hash_policy', 1, HASH),
  exactly('net.ipv6.fib_multipath_hash_policy', 1, HASH),
  exactly('net.ipv4.conf.all.ignore_routes_with_linkdown', 1, LINKDOWN),
  exactly('net.ipv6.conf.all.ignore_routes_with_linkdown', 1, LINKDOWN),
  exactly(
    'net.ipv4.nexthop_compat_mode',
    0,
    'Otherwise a changed next-hop object is reported once per route that uses it: 100 ms instead of 0.1 ms for 100,000.',
  ),
  atLeast(
    'net.ipv4.fib_sync_mem',
    64 << 20,
    'Large route loads stall up to 110 ms while the kernel waits to free memory.',
  ),
  atLeast(
    'net.ipv6.route.max_size',
    1 << 20,
    'Kernels before 6.3 drop IPv6 packets above 4,096 cached destinations.',
  ),
  // From the top, as the kernel does not mind and a reader in between never sees thresh1 > thresh3.
  atLeast('net.ipv4.neigh.default.gc_thresh3', 16_384, NEIGHBOURS),
  atLeast('net.ipv4.neigh.default.gc_thresh2', 8_192, NEIGHBOURS),
  atLeast('net.ipv4.neigh.default.gc_thresh1', 4_096, NEIGHBOURS),
  atLeast('net.ipv6.neigh.default.gc_thresh3', 16_384, NEIGHBOURS),
  atLeast('net.ipv6.neigh.default.gc_thresh2', 8_192, NEIGHBOURS),
  atLeast('net.ipv6.neigh.default.gc_thresh1', 4_096, NEIGHBOURS),
  atLeast(
    'net.netfilter.nf_conntrack_max',
    262_144,
    'A full connection table drops new connections of every container.',
  ),
  exactly(
    'net.netfilter.nf_conntrack_acct',
    1,
    'Records of flows say what a connection carried: the kernel counts for connections that begin afterwards.',
  ),
];

/** The table for a host with these uplinks. */
export function hostSysctls(uplinks: readonly string[]): HostSysctl[] {
  return TABLE.flatMap((setting) =>
    setting.key.includes(UPLINK)
      ? // A dot in a device name is written as a slash, as sysctl(8) does.
        uplinks.map((uplink) => ({
          ...setting,
          key: setting.key.replace(UPLINK, uplink.replaceAll('.', '/')),
        }))
      : [setting],
  );
}

/** How one setting of the table is on this host. */
export interface SysctlFinding extends HostSysctl {
  /** `undefined` if this kernel, or this namespace, does not have the setting. */
  readonly actual: string | undefined;
  /** `refused`: it should have been changed and could not be, with the error code in `code`. */
  readonly state: 'ok' | 'differs' | 'missing' | 'changed' | 'refused';
  readonly code?: string;
}

/** Compares the host with the table and changes nothing: `ok`, `differs` or `missing` for each setting. */
export async function checkHostSysctls(
  sysctls: Sysctls,
  uplinks: readonly string[],
): Promise<SysctlFinding[]> {
  const findings: SysctlFinding[] = [];
  for (const setting of hostSysctls(uplinks)) {
    const actual = await sysctls.get(setting.key);
    findings.push({ ...setting, actual, state: stateOf(setting, actual) });
  }
  return findings;
}

function stateOf({ value, rule }: HostSysctl, actual: string | undefined): SysctlFinding['state'] {
  if (actual === undefined) return 'missing';
  const isFulfilled = rule === 'exactly' ? actual === value : Number(actual) >= Number(value);
  return isFulfilled ? 'ok' : 'differs';
}

/** One setting that was changed, for {@link restoreHostSysctls}. Plain data: keep it in a file. */
export interface SysctlChange {
  readonly key: string;
  readonly before: string;
  readonly after: string;
}

/**
 * Brings the host in line with the table. A setting that is missing or cannot be changed is a finding, not an error.
 *
 * @returns What was found, with `actual` as it was before, and what was changed. Add the changes to those of
 *   earlier runs; for a key that is there already the older entry is the one to keep.
 */
export async function applyHostSysctls(
  sysctls: Sysctls,
  uplinks: readonly string[],
): Promise<{ readonly findings: SysctlFinding[]; readonly changes: SysctlChange[] }> {
  const findings: SysctlFinding[] = [];
  const changes: SysctlChange[] = [];
  for (const setting of hostSysctls(uplinks)) {
    // Read one by one: an earlier setting may have changed this one.
    const actual = await sysctls.get(setting.key);
    const state = stateOf(setting, actual);
    if (state !== 'differs' || actual === undefined) {
      findings.push({ ...setting, actual, state });
      continue;
    }
    try {
      await sysctls.set(setting.key, setting.value);
      findings.push({ ...setting, actual, state: 'changed' });
      changes.push({ key: setting.key, before: actual, after: setting.value });
    } catch (error) {
      if (!(error instanceof KernelError)) throw error;
      findings.push({ ...setting, actual, state: 'refused', code: error.code });
    }
  }
  return { findings, changes };
}

/**
 * Takes back what {@link applyHostSysctls} changed, newest first. What somebody has changed since is left alone.
 *
 * @returns Keys that are not as they were before: changed by others, gone, or refused.
 */
export async function restoreHostSysctls(
  sysctls: Sysctls,
  changes: readonly SysctlChange[],
): Promise<string[]> {
  const left: string[] = [];
  for (const { key, before, after } of changes.toReversed()) {
    try {
      if ((await sysctls.get(key)) === after) await sysctls.set(key, before);
      else left.push(key);
    } catch (error) {
      if (!(error instanceof KernelError)) throw error;
      left.push(key);
    }
  }
  return left;
}
