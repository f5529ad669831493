export type { Leftover, Takeover } from '@overland/felix/dataplane';
export type { ListedWorkload } from '@overland/workloads';
export type { FlowEnd, FlowRecord } from '../flows/flow-record.ts';
export type { FlowPage } from '../flows/flow-service.ts';
export type { NodeStatus, ProgrammedPolicy } from '../node-status.ts';
export type { AttachReply } from '../store-methods.ts';
export {
  type AgentClient,
  AgentRefusedError,
  AgentUnreachableError,
  agentClient,
  DEFAULT_AGENT_SOCKET,
} from './agent-client.ts';
