import { z } from 'zod';
import { cidr } from '../../scalars.ts';
import {
  choice,
  count,
  expression,
  flag,
  interfaceFilter,
  interval,
  onOff,
  port,
  portRange,
  timeout,
  words,
} from './parameters.ts';

const mapSize = (meaning: string, preset: number) => count(meaning, { min: 1, preset });

const conntrackTimeouts = () =>
  z.object({
    creationGracePeriod: timeout('After a connection was made.', '10s'),
    tcpSynSent: timeout('After the last SYN without an answer.', '20s'),
    tcpEstablished: timeout('Idle TCP connections.', '1h'),
    tcpFinsSeen: timeout('TCP connections that were closed.', 'Auto'),
    tcpResetSeen: timeout('TCP connections that were reset.', '40s'),
    udpTimeout: timeout('Idle UDP.', '60s'),
    genericTimeout: timeout('Idle other protocols.', '10m'),
    icmpTimeout: timeout('Idle ICMP.', '5s'),
  });

/** The eBPF dataplane. Overland has none: kept for hosts that run Calico. */
export const bpfParameters = {
  bpfEnabled: flag('Whether the eBPF dataplane is used.', false),
  bpfAttachType: choice(['TC', 'TCX'], 'How programs are attached.', 'TCX'),
  bpfCTLBLogFilter: words('What the connect-time load balancer logs.'),
  bpfConnectTimeLoadBalancing: choice(
    ['TCP', 'Enabled', 'Disabled'],
    'Load balancing in connect().',
    'TCP',
  ),
  bpfConnectTimeLoadBalancingEnabled: flag('Replaced by bpfConnectTimeLoadBalancing.'),
  bpfConntrackLogLevel: choice(['Off', 'Debug'], 'Severity of the connection cleaner.', 'Off'),
  bpfConntrackMode: choice(
    ['Auto', 'Userspace', 'BPFProgram'],
    'Who removes old connections.',
    'Auto',
  ),
  bpfConntrackTimeouts: () =>
    conntrackTimeouts().optional().describe('When connections are forgotten.'),
  bpfDSROptoutCIDRs: () =>
    z.array(cidr).optional().describe('Clients that get no direct server return.'),
  bpfDataIfacePattern: expression(
    'Host interfaces that carry traffic of the cluster.',
    '^((en|wl|ww|sl|ib)[Popsx].*|(eth|wlan|wwan|bond).*)',
  ),
  bpfDisableGROForIfaces: expression('Interfaces without generic receive offload.'),
  bpfDisableUnprivileged: flag('Whether others may not load programs.', true),
  bpfEnforceRPF: choice(
    ['Disabled', 'Strict', 'Loose'],
    'Reverse path check on host interfaces.',
    'Loose',
  ),
  bpfExcludeCIDRsFromNAT: () =>
    z.array(cidr).optional().describe('Destinations that are not translated.'),
  bpfExportBufferSizeMB: mapSize('Buffer for events, MiB.', 1),
  bpfExtToServiceConnmark: count('Mark of connections from outside to services.', {
    min: 0,
    max: 0xffff_ffff,
    preset: 0,
  }),
  bpfExternalServiceMode: choice(
    ['Tunnel', 'DSR'],
    'How answers to clients outside go back.',
    'Tunnel',
  ),
  bpfForceTrackPacketsFromIfaces: () =>
    z
      .array(interfaceFilter)
      .optional()
      .meta({ default: ['docker+'] })
      .describe('Interfaces whose packets conntrack follows all the same.'),
  bpfHostConntrackBypass: flag('Whether packets bypass conntrack of the host.', false),
  bpfHostNetworkedNATWithoutCTLB: onOff(
    'Translation for the host without connect-time balancing.',
    'Enabled',
  ),
  bpfJITHardening: choice(
    ['Auto', 'Strict'],
    'Whether hardening of the compiler is lowered.',
    'Auto',
  ),
  bpfKubeProxyHealthzPort: port('Port of the health server of the service proxy.', 10_256),
  bpfKubeProxyIptablesCleanupEnabled: flag('Whether rules of kube-proxy are removed.', true),
  bpfKubeProxyMinSyncPeriod: interval('Least time between updates of services.', '1s'),
  bpfL3IfacePattern: expression('Interfaces without link layer.'),
  bpfLogFilters: () =>
    z
      .record(z.string(), z.string())
      .optional()
      .describe('Interface → filter expression of pcap for debug logs.'),
  bpfLogLevel: choice(['Off', 'Info', 'Debug'], 'Severity of the programs.', 'Off'),
  bpfMaglevMaxEndpointsPerService: count('Endpoints of a Maglev service.', {
    min: 1,
    max: 3000,
    preset: 100,
  }),
  bpfMaglevMaxServices: count('Maglev services.', { min: 1, max: 3000, preset: 100 }),
  bpfMapSizeConntrack: mapSize('Connections.', 512_000),
  bpfMapSizeConntrackCleanupQueue: mapSize('Connections that are being removed.', 100_000),
  bpfMapSizeConntrackScaling: choice(
    ['Disabled', 'DoubleIfFull'],
    'What is done when the table of connections is full.',
    'DoubleIfFull',
  ),
  bpfMapSizeIPSets: mapSize('Members of all sets.', 1_048_576),
  bpfMapSizeIfState: mapSize('Interfaces.', 1000),
  bpfMapSizeNATAffinity: mapSize('Sticky clients.', 65_536),
  bpfMapSizeNATBackend: mapSize('Backends of services.', 262_144),
  bpfMapSizeNATFrontend: mapSize('Frontends of services.', 65_536),
  bpfMapSizePerCpuConntrack: count('Connections per core; 0: bpfMapSizeConntrack.', {
    min: 0,
    preset: 0,
  }),
  bpfMapSizeRoute: mapSize('Routes.', 262_144),
  bpfPSNATPorts: () =>
    portRange
      .optional()
      .meta({ default: '20000:29999' })
      .describe('Source ports in case of clashes.'),
  bpfPolicyDebugEnabled: flag('Whether programs can be explained by rule.', true),
  bpfProfiling: onOff('Whether programs are timed.', 'Disabled'),
  bpfRedirectToPeer: choice(
    ['Enabled', 'Disabled', 'L2Only'],
    'Short way into workloads.',
    'Enabled',
  ),
  cgroupV2Path: words('Where cgroups are mounted.'),
};
