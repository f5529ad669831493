export type { DiscoverySocket, DiscoverySocketOptions } from './discovery-socket.ts';
export { openDiscoverySocket } from './discovery-socket.ts';
export { FailedNeighbours } from './failed-neighbours.ts';
export type { HostSysctl, SysctlChange, SysctlFinding } from './host-sysctls.ts';
export {
  applyHostSysctls,
  checkHostSysctls,
  hostSysctls,
  restoreHostSysctls,
} from './host-sysctls.ts';
export type { FoundIpSet, IpSet, IpSetChange, IpSets } from './ip-sets.ts';
export type {
  Iptables,
  IptablesChange,
  IptablesContent,
  IptablesTable,
  IptablesVariant,
} from './iptables.ts';
export { IptablesError } from './iptables.ts';
export { openKernel } from './kernel/open-kernel.ts';
export type { FeatureFinding, KernelFeature } from './kernel-features.ts';
export { probeKernelFeatures } from './kernel-features.ts';
export {
  createNamespace,
  deleteNamespace,
  listNamespaces,
  namespaceIdentity,
  namespacePath,
  runInNamespace,
} from './namespaces.ts';
export type { Connection, FlowCounters } from './netfilter/connection-codec.ts';
export type { FlowTuple } from './netfilter/flow-tuple.ts';
export type { NextHopMember } from './next-hop-group.ts';
export { nextHopGroup, nextHopGroupKey } from './next-hop-group.ts';
export type {
  Nftables,
  NftChain,
  NftChange,
  NftContent,
  NftElement,
  NftHook,
  NftKeyType,
  NftSet,
  NftSetSpec,
} from './nftables.ts';
export { NftError } from './nftables.ts';
export type {
  BatchOutcome,
  ConnectionTuple,
  Conntrack,
  Kernel,
  KernelEvent,
  KernelMonitor,
  Link,
  Links,
  Neighbour,
  Neighbours,
  NextHopObject,
  NextHopObjects,
  PackedRoutes,
  Protocol,
  Route,
  Routes,
  RouteTarget,
  ShapedLink,
  Sysctls,
  TokenBucket,
  TrackedConnection,
  TrafficControl,
  VethSpec,
} from './ports.ts';
export { KernelError, PROTOCOL } from './ports.ts';
export { runFirst } from './scheduling.ts';
export type { Md5Key, TcpSocketOptions } from './tcp-socket.ts';
export {
  bindToDevice,
  MAX_MD5_KEY_OCTETS,
  openTcpSocket,
  removeMd5Key,
  setMd5Key,
  setTtl,
  setUserTimeout,
  TOS_NETWORK_CONTROL,
} from './tcp-socket.ts';
export type { TtlRule, UdpSocketOptions } from './udp-socket.ts';
export {
  closeDatagramSocket,
  dropEverything,
  openUdpSocket,
  sendDatagram,
  setTtlRules,
} from './udp-socket.ts';
