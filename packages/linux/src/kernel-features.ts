import { execFile } from 'node:child_process';

/** One thing that the kernel must be able to do for a host. */
export interface KernelFeature {
  readonly name: string;
  /** `optional`: only some settings need it. */
  readonly need: 'required' | 'optional';
  /** What for, in one sentence for an operator. */
  readonly reason: string;
}

/** Whether this kernel has it. */
export interface FeatureFinding extends KernelFeature {
  /** `unknown`: this user may not try. */
  readonly state: 'ok' | 'missing' | 'unknown';
  /** What the kernel, or the program that asked it, said; empty if all is well. */
  readonly detail: string;
}

interface Probe extends KernelFeature {
  /** Run in a network namespace of its own, which ends with it. */
  readonly argv: readonly string[];
  readonly input?: string;
}

const TIMEOUT_MS = 10_000;

const PROBE_BUCKET = ['rate', '1mbit', 'burst', '32k', 'limit', '32k'];

/**
 * Tried, not looked up: a module that is built in, loaded on demand or renamed is as good as another, and one that
 * is there may be forbidden. calicoctl looks for names of modules instead.
 */
const PROBES: readonly Probe[] = [
  {
    name: 'network namespaces',
    need: 'required',
    reason: 'Every container has one.',
    argv: ['true'],
  },
  {
    name: 'veth pairs',
    need: 'required',
    reason: 'A container is linked to its host by one.',
    argv: ['ip', 'link', 'add', 'probe0', 'type', 'veth', 'peer', 'name', 'probe1'],
  },
  {
    name: 'IPv6',
    need: 'optional',
    reason: 'IPv6 pools, and routes of IPv6 peers.',
    argv: ['ip', '-6', 'route', 'add', 'blackhole', '2001:db8::/32'],
  },
  {
    name: 'blackhole routes',
    need: 'required',
    reason: 'Unused addresses of a block must not loop between host and switch.',
    argv: ['ip', 'route', 'add', 'blackhole', '192.0.2.0/24', 'proto', '86'],
  },
  {
    name: 'next-hop groups',
    need: 'required',
    reason: 'Several uplinks are one next-hop object that all learned routes share (Linux 5.3).',
    argv: ['ip', '-batch', '-'],
    input:
      'link set lo up\nnexthop add id 1 dev lo\nnexthop add id 2 dev lo\nnexthop add id 3 group 1/2\nroute add 192.0.2.0/24 nhid 3\n',
  },
  {
    name: 'nftables with verdict maps',
    need: 'required',
    reason: 'The packet filter of workloads: an interface that is not known is dropped.',
    argv: ['nft', '-f', '-'],
    input:
      'table inet probe {\n map known { typeof iifname : verdict; }\n chain forward {\n type filter hook forward priority filter; policy accept;\n iifname vmap @known\n drop\n }\n}\n',
  },
  {
    name: 'connection tracking in nftables',
    need: 'required',
    reason: 'Answers to what a policy has let through pass without a rule.',
    argv: ['nft', '-f', '-'],
    input:
      'table inet probe {\n chain forward {\n type filter hook forward priority filter; policy accept;\n ct state established,related accept\n }\n}\n',
  },
  {
    name: 'sets of interfaces with addresses in nftables',
    need: 'required',
    reason: 'A workload sends under addresses of its own only.',
    argv: ['nft', '-f', '-'],
    input:
      'table inet probe {\n set own {\n type ifname . ipv4_addr;\n }\n chain c {\n type filter hook prerouting priority raw; policy accept;\n iifname . ip saddr != @own drop\n }\n}\n',
  },
  {
    name: 'address translation in nftables',
    need: 'optional',
    reason: 'Pools with natOutgoing, floating addresses and ports of the host.',
    argv: ['nft', '-f', '-'],
    input:
      'table inet probe {\n chain out {\n type nat hook postrouting priority srcnat; policy accept;\n masquerade\n }\n}\n',
  },
  {
    name: 'packet rates in nftables',
    need: 'optional',
    reason: 'Workloads with a packet rate (qosControls).',
    argv: ['nft', '-f', '-'],
    input:
      'table inet probe {\n chain c {\n type filter hook forward priority filter; policy accept;\n limit rate over 10/second burst 5 packets drop\n }\n}\n',
  },
  {
    name: 'connection limits in nftables',
    need: 'optional',
    reason: 'Workloads with a limit of connections (qosControls).',
    argv: ['nft', '-f', '-'],
    input:
      'table inet probe {\n chain c {\n type filter hook forward priority filter; policy accept;\n ct state new ct count over 10 drop\n }\n}\n',
  },
  {
    name: 'code points in nftables',
    need: 'optional',
    reason: 'Workloads with a code point of what they send (qosControls.dscp).',
    argv: ['nft', '-f', '-'],
    input:
      'table inet probe {\n chain c {\n type filter hook forward priority filter; policy accept;\n ip dscp set 46\n ip6 dscp set 46\n }\n}\n',
  },
  {
    name: 'token buckets',
    need: 'optional',
    reason: 'Workloads with a bandwidth of what they receive (qosControls).',
    argv: ['tc', 'qdisc', 'add', 'dev', 'lo', 'root', 'tbf', ...PROBE_BUCKET],
  },
  {
    name: 'links that hold packets back (ifb)',
    need: 'optional',
    reason: 'Workloads with a bandwidth of what they send (qosControls).',
    argv: ['ip', 'link', 'add', 'probe0', 'type', 'ifb'],
  },
  {
    name: 'redirects of what arrives (ingress, u32, mirred)',
    need: 'optional',
    reason: 'Workloads with a bandwidth of what they send (qosControls).',
    argv: ['tc', '-batch', '-'],
    input:
      'qdisc add dev lo ingress\nfilter add dev lo ingress protocol all u32 match u32 0 0 action mirred egress redirect dev lo\n',
  },
  {
    name: 'lookups of local addresses in nftables',
    need: 'optional',
    reason: 'Ports of the host that lead to workloads.',
    argv: ['nft', '-f', '-'],
    input:
      'table inet probe {\n chain c {\n type nat hook prerouting priority dstnat; policy accept;\n fib daddr type local tcp dport 80 redirect\n }\n}\n',
  },
  {
    name: 'untracked packets in nftables',
    need: 'optional',
    reason: 'Policies with doNotTrack.',
    argv: ['nft', '-f', '-'],
    input:
      'table inet probe {\n chain c {\n type filter hook prerouting priority raw; policy accept;\n notrack\n }\n}\n',
  },
];

/**
 * Tries each feature in a throwaway network namespace. Changes nothing of the host, but the kernel may load modules
 * for it, as it would for the agent.
 *
 * @param probes Other ones, for tests.
 */
export async function probeKernelFeatures(
  probes: readonly Probe[] = PROBES,
): Promise<FeatureFinding[]> {
  const findings: FeatureFinding[] = [];
  for (const { argv, input, ...feature } of probes) {
    findings.push({ ...feature, ...(await tryIn(argv, input)) });
  }
  return findings;
}

function tryIn(
  argv: readonly string[],
  input = '',
): Promise<Pick<FeatureFinding, 'state' | 'detail'>> {
  return new Promise((resolve) => {
    const options = { timeout: TIMEOUT_MS };
    const child = execFile('unshare', ['--net', '--', ...argv], options, (error, _out, stderr) => {
      const [line = ''] = stderr.trim().split('\n');
      if (!error) resolve({ state: 'ok', detail: '' });
      else if (/^unshare: unshare failed/.test(line)) resolve({ state: 'unknown', detail: line });
      else resolve({ state: 'missing', detail: line || error.message });
    });
    // A program that is not there does not read.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
  });
}
