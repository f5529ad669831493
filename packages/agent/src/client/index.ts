export {
  type AgentClient,
  AgentRefusedError,
  AgentUnreachableError,
  agentClient,
  DEFAULT_AGENT_SOCKET,
} from './agent-client.ts';
