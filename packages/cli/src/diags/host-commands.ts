/** A program whose output says something of this host. */
export interface HostCommand {
  /** In the archive, without `.txt`. */
  readonly name: string;
  readonly argv: readonly string[];
}

const LOG_LINES = '5000';
const UNITS = ['overland*', 'calico*', 'bird*', 'frr*', 'etcd*'];

/**
 * What is asked of the host. Command lines of processes are left out, because passwords stand in them, and so is
 * `ss --info`, which shows the keys of TCP-MD5.
 */
export const HOST_COMMANDS: readonly HostCommand[] = [
  { name: 'host/date', argv: ['date', '--utc', '--iso-8601=seconds'] },
  { name: 'host/kernel', argv: ['uname', '-a'] },
  { name: 'host/uptime', argv: ['uptime'] },
  { name: 'host/memory', argv: ['free', '-m'] },
  { name: 'host/disks', argv: ['df', '-h'] },
  { name: 'host/processes', argv: ['ps', '-eo', 'pid,ppid,user,stat,lstart,rss,pcpu,nlwp,comm'] },
  { name: 'host/kernel-log', argv: ['dmesg', '--ctime'] },
  {
    name: 'host/journal',
    argv: [
      'journalctl',
      '--no-pager',
      '--utc',
      `--lines=${LOG_LINES}`,
      ...UNITS.map((unit) => `--unit=${unit}`),
    ],
  },
  { name: 'network/links', argv: ['ip', '-details', '-statistics', 'link', 'show'] },
  { name: 'network/addresses', argv: ['ip', 'address', 'show'] },
  { name: 'network/rules-ipv4', argv: ['ip', '-4', 'rule', 'show'] },
  { name: 'network/rules-ipv6', argv: ['ip', '-6', 'rule', 'show'] },
  { name: 'network/routes-ipv4', argv: ['ip', '-4', '-details', 'route', 'show', 'table', 'all'] },
  { name: 'network/routes-ipv6', argv: ['ip', '-6', '-details', 'route', 'show', 'table', 'all'] },
  { name: 'network/next-hops', argv: ['ip', '-details', 'nexthop', 'show'] },
  { name: 'network/neighbours', argv: ['ip', '-statistics', 'neighbour', 'show'] },
  { name: 'network/namespaces', argv: ['ip', 'netns', 'list'] },
  { name: 'network/queues', argv: ['tc', '-statistics', 'qdisc', 'show'] },
  { name: 'network/sockets', argv: ['ss', '--numeric', '--all', '--tcp', '--udp', '--processes'] },
  { name: 'network/socket-totals', argv: ['ss', '--summary'] },
  {
    name: 'network/settings',
    argv: ['sysctl', '--all', '--pattern', '^net\\.(core|ipv4|ipv6|netfilter)\\.'],
  },
  { name: 'network/counters', argv: ['nstat', '--zeros', '--noupdate'] },
  { name: 'network/connection-tracking', argv: ['conntrack', '--stats'] },
  { name: 'filter/nft-ruleset', argv: ['nft', '--stateless', 'list', 'ruleset'] },
  { name: 'filter/iptables', argv: ['iptables-save', '--counters'] },
  { name: 'filter/ip6tables', argv: ['ip6tables-save', '--counters'] },
  { name: 'filter/ip-sets', argv: ['ipset', 'list'] },
];
