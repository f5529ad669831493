import { z } from 'zod';
import { cidr, pattern } from '../../scalars.ts';
import { choice, count, flag, interval, markMask, onOff, words } from './parameters.ts';

const protoPort = z.object({
  protocol: z.enum(['TCP', 'UDP', 'SCTP']).describe('Protocol.'),
  port: z.number().int().min(0).max(65_535).describe('Port.'),
  net: cidr.optional().describe('Only from or to here.'),
});
type ProtoPort = z.output<typeof protoPort>;

const tcp = (port: number): ProtoPort => ({ protocol: 'TCP', port });
const udp = (port: number): ProtoPort => ({ protocol: 'UDP', port });
const CONTROL_PLANE = [179, 2379, 2380, 5473, 6443, 6666, 6667].map(tcp);

/** Ports of a host that stay open where its FelixConfiguration says nothing of them. */
export const FAILSAFE_PORTS: Readonly<Record<'inbound' | 'outbound', readonly ProtoPort[]>> = {
  inbound: [tcp(22), udp(68), ...CONTROL_PLANE],
  outbound: [udp(53), udp(67), ...CONTROL_PLANE],
};

const failsafe = (direction: string, ports: readonly ProtoPort[]) => () =>
  z
    .array(protoPort)
    .optional()
    .meta({ default: ports })
    .describe(`Ports of the host that stay open ${direction}, whatever policy says.`);

const allow = (table: string) =>
  choice(
    ['Accept', 'Return'],
    `What is done with allowed packets in the ${table} table.`,
    'Accept',
  );
const deny = choice(['Drop', 'Reject'], 'What is done with denied packets.', 'Drop');

/** Policy in iptables, nftables and XDP, and its logs. */
export const filteringParameters = {
  chainInsertMode: choice(
    ['Insert', 'Append'],
    'Where the rules of Felix go among others.',
    'Insert',
  ),
  defaultEndpointToHostAction: choice(
    ['Drop', 'Accept', 'Return'],
    'What is done with packets from workloads to the host that policy allows.',
    'Drop',
  ),
  iptablesBackend: choice(['Auto', 'Legacy', 'NFT'], 'Which iptables is used.', 'Auto'),
  iptablesFilterAllowAction: allow('filter'),
  iptablesMangleAllowAction: allow('mangle'),
  iptablesFilterDenyAction: deny,
  iptablesLockProbeInterval: interval('How often the lock of iptables is tried.', '50ms'),
  iptablesMarkMask: markMask('Mark bits that Felix may use with iptables.'),
  iptablesPostWriteCheckInterval: interval(
    'When rules are read again after they were written.',
    '5s',
  ),
  iptablesRefreshInterval: interval('How often the rules are read in full; 0 never.', '180s'),
  nftablesMode: choice(['Disabled', 'Enabled', 'Auto'], 'Whether nftables is used.', 'Auto'),
  nftablesFilterAllowAction: allow('filter'),
  nftablesMangleAllowAction: allow('mangle'),
  nftablesFilterDenyAction: deny,
  nftablesMarkMask: markMask('Mark bits that Felix may use with nftables.'),
  nftablesRefreshInterval: interval('How often the rules are read in full; 0 never.', '180s'),
  ipsetsRefreshInterval: interval('How often sets of addresses are read in full; 0 never.', '90s'),
  maxIpsetSize: count('Members a set may have; does not hold for nftables.', {
    min: 1,
    preset: 1_048_576,
  }),
  failsafeInboundHostPorts: failsafe('for what comes in', FAILSAFE_PORTS.inbound),
  failsafeOutboundHostPorts: failsafe('for what goes out', FAILSAFE_PORTS.outbound),
  disableConntrackInvalidCheck: flag('Whether packets that conntrack calls invalid pass.', false),
  workloadSourceSpoofing: choice(
    ['Disabled', 'Any'],
    'Any: workloads may ask for other source addresses by annotation.',
    'Disabled',
  ),
  logPrefix: () =>
    pattern('letters, digits, "%", ":", "/", "_", "-" and spaces', /^[a-zA-Z0-9%: /_-]*$/)
      .optional()
      .meta({ default: 'calico-packet' })
      .describe('Begin of the lines of the action Log.'),
  logActionRateLimit: () =>
    pattern('a rate, as 10/second', /^[1-9]\d{0,3}\/(second|minute|hour|day)$/)
      .optional()
      .describe('Most lines of the action Log.'),
  logActionRateLimitBurst: count('Lines that may come at once.', { min: 0, max: 9999, preset: 5 }),
  xdpEnabled: flag('Whether deny rules of host endpoints are sped up by XDP.', true),
  genericXDPEnabled: flag('XDP on interfaces whose driver lacks it; for tests.', false),
  xdpRefreshInterval: interval('How often XDP is read in full; 0 never.', '90s'),
  sidecarAccelerationEnabled: flag('Whether traffic to sidecars takes a short way.', false),
  windowsManageFirewallRules: onOff('Whether the firewall of Windows is programmed.', 'Disabled'),
  istioAmbientMode: onOff('Whether meshes of Istio without sidecars are supported.', 'Disabled'),
  istioDSCPMark: () =>
    z
      .union([z.number(), z.string()])
      .optional()
      .meta({ default: 23 })
      .describe('DSCP by which packets of such a mesh are known.'),
  flowLogsFlushInterval: interval('How often flow logs are sent.', '300s'),
  flowLogsCollectorDebugTrace: flag('Logs every flow.', false),
  flowLogsGoldmaneServer: words('Where flow logs are sent; absent: nowhere.'),
  flowLogsLocalReporter: onOff('Whether flow logs go to a local socket.', 'Disabled'),
  flowLogsPolicyEvaluationMode: choice(
    ['None', 'Continuous'],
    'Whether flow logs follow changes of policy.',
    'Continuous',
  ),
};
