export { execInNode } from './exec-in-node.ts';
export {
  type FaultMode,
  type FaultTarget,
  FaultTargetError,
  failLinks,
  healLinks,
  linksOf,
} from './faults/fail.ts';
export {
  type GraphLink,
  type GraphModel,
  type GraphNode,
  graphModel,
} from './graph/graph-model.ts';
export { toMermaid } from './graph/mermaid.ts';
export { toSvg } from './graph/svg.ts';
export { InstallError, installPackages } from './install/install-packages.ts';
export { missingPackages, type SystemPackage } from './install/system-packages.ts';
export { loadTopology, TopologyFileError } from './load-topology.ts';
export type { BgpSession } from './observe/bgp-session.ts';
export { type HostBlock, readBlocks } from './observe/blocks.ts';
export { type Convergence, checkConvergence, waitForConvergence } from './observe/convergence.ts';
export { type NodeMemory, readMemory } from './observe/memory.ts';
export {
  type LabState,
  type LinkState,
  type NodeState,
  NoLabError,
  observeLab,
} from './observe/observe-lab.ts';
export { type PingResult, pingAll } from './observe/ping.ts';
export { findWorkloads, nodeEndpoints, type PingEndpoint } from './observe/workloads.ts';
export {
  type BringUpOptions,
  bringUp,
  NameInUseError,
  runningTopology,
} from './runner/bring-up.ts';
export { knownLabs } from './runner/known-labs.ts';
export { LabBusyError } from './runner/lab-lock.ts';
export type { ExecFailure } from './runner/provision-node.ts';
export { ProgramError } from './runner/run-program.ts';
export { type RunningNode, runningNodes } from './runner/running-nodes.ts';
export { NodeStartError } from './runner/start-node.ts';
export { takeDown } from './runner/take-down.ts';
export { TopologyError, type TopologyFault } from './topology/fault.ts';
export type { Endpoint, Link, Node, Topology } from './topology/topology.ts';
export { VariantError, withEtcd, withOverlandRouters } from './variants.ts';
