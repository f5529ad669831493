import { count, flag, interfaceName, interval, port } from './parameters.ts';

const mtu = (meaning: string) => count(meaning, { min: 0, max: 65_535, preset: 0 });

/** Tunnels. Overland makes none: kept for hosts that run Calico. */
export const encapsulationParameters = {
  ipipEnabled: flag('Whether there is an IPIP device; absent: if a pool asks for it.'),
  ipipMTU: mtu('MTU of the IPIP device; 0: found out.'),
  vxlanEnabled: flag('Whether there is a VXLAN device; absent: if a pool asks for it.'),
  vxlanMTU: mtu('MTU of the VXLAN device; 0: found out.'),
  vxlanMTUV6: mtu('The same for IPv6.'),
  vxlanPort: port('UDP port of VXLAN.', 4789),
  vxlanVNI: count('Network number of VXLAN.', { min: 0, max: 16_777_215, preset: 4096 }),
  allowIPIPPacketsFromWorkloads: flag('Whether workloads may send IPIP themselves.', false),
  allowVXLANPacketsFromWorkloads: flag('Whether workloads may send VXLAN themselves.', false),
  wireguardEnabled: flag('Whether traffic between nodes is encrypted, IPv4.', false),
  wireguardEnabledV6: flag('The same for IPv6.', false),
  wireguardHostEncryptionEnabled: flag('Whether traffic of the hosts is encrypted as well.', false),
  wireguardInterfaceName: interfaceName('Name of the device for IPv4.', 'wireguard.cali'),
  wireguardInterfaceNameV6: interfaceName('Name of the device for IPv6.', 'wg-v6.cali'),
  wireguardKeepAlive: interval('Interval of keepalives; 0: none.', '0s'),
  wireguardListeningPort: count('UDP port for IPv4.', { min: 1, max: 65_535, preset: 51_820 }),
  wireguardListeningPortV6: count('UDP port for IPv6.', { min: 1, max: 65_535, preset: 51_821 }),
  wireguardMTU: mtu('MTU for IPv4; 0: found out.'),
  wireguardMTUV6: mtu('MTU for IPv6; 0: found out.'),
  wireguardRoutingRulePriority: count('Priority of the routing rule.', {
    min: 1,
    max: 32_765,
    preset: 99,
  }),
  wireguardThreadingEnabled: flag('Whether each peer has a thread.', false),
};
