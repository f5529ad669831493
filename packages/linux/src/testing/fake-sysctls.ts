import { KernelError, type Sysctls } from '../ports.ts';
import type { FakeNamespace } from './fake-namespace.ts';

/** Settings that exist once, with the kernel's defaults. Absent ones can be added through `FakeKernel.settings`. */
const DEFAULT_SETTINGS: Readonly<Record<string, string>> = {
  'net.ipv4.ip_forward': '0',
  'net.ipv4.fib_multipath_hash_policy': '0',
  'net.ipv6.fib_multipath_hash_policy': '0',
  'net.ipv4.nexthop_compat_mode': '1',
  'net.ipv4.fib_sync_mem': '524288',
  'net.ipv6.route.max_size': '2147483647',
  'net.ipv4.neigh.default.gc_thresh1': '128',
  'net.ipv4.neigh.default.gc_thresh2': '512',
  'net.ipv4.neigh.default.gc_thresh3': '1024',
  'net.ipv6.neigh.default.gc_thresh1': '128',
  'net.ipv6.neigh.default.gc_thresh2': '512',
  'net.ipv6.neigh.default.gc_thresh3': '1024',
};

/** Settings that every interface has, and `all` and `default`. */
const DEVICE_SETTINGS: Readonly<Record<string, string>> = {
  'net.ipv4.conf.*.forwarding': '0',
  'net.ipv4.conf.*.rp_filter': '0',
  'net.ipv4.conf.*.proxy_arp': '0',
  'net.ipv4.conf.*.route_localnet': '0',
  'net.ipv4.conf.*.accept_redirects': '1',
  'net.ipv4.conf.*.send_redirects': '1',
  'net.ipv4.conf.*.ignore_routes_with_linkdown': '0',
  'net.ipv4.conf.*.arp_accept': '0',
  'net.ipv4.neigh.*.proxy_delay': '80',
  'net.ipv4.neigh.*.gc_stale_time': '60',
  'net.ipv6.conf.*.forwarding': '0',
  'net.ipv6.conf.*.proxy_ndp': '0',
  'net.ipv6.conf.*.accept_ra': '1',
  'net.ipv6.conf.*.accept_redirects': '1',
  'net.ipv6.conf.*.accept_dad': '1',
  'net.ipv6.conf.*.addr_gen_mode': '0',
  'net.ipv6.conf.*.disable_ipv6': '0',
  'net.ipv6.conf.*.ignore_routes_with_linkdown': '0',
  'net.ipv6.conf.*.keep_addr_on_down': '0',
  'net.ipv6.neigh.*.proxy_delay': '80',
};

export function fakeSysctls(namespace: FakeNamespace): Sysctls {
  return {
    get: async (key) => settingOf(namespace, key),

    async set(key, value) {
      const operation = `set sysctl ${key} to ${value}`;
      namespace.begin(operation);
      const before = settingOf(namespace, key);
      if (before === undefined) throw new KernelError('ENOENT', operation);
      const isNumber = /^-?\d+$/;
      if (isNumber.test(before) && !isNumber.test(value)) {
        throw new KernelError('EINVAL', operation);
      }
      namespace.sysctls.set(key, value);
    },
  };
}

function settingOf(namespace: FakeNamespace, key: string): string | undefined {
  const parts = /^(net\.ipv[46]\.(?:conf|neigh))\.([^.]+)\.([^.]+)$/.exec(key);
  if (parts === null) return namespace.sysctls.get(key) ?? DEFAULT_SETTINGS[key];
  const [, table = '', device = '', setting = ''] = parts;
  const name = device.replaceAll('/', '.');
  if (!['all', 'default'].includes(name) && !namespace.links.has(name)) return undefined;
  return (
    namespace.sysctls.get(key) ?? DEFAULT_SETTINGS[key] ?? DEVICE_SETTINGS[`${table}.*.${setting}`]
  );
}
