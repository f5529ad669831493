import {
  type AgentClient,
  AgentRefusedError,
  AgentUnreachableError,
  agentClient,
  DEFAULT_AGENT_SOCKET,
} from '@overland/agent/client';
import { type CommandContext, FailureError, UsageError } from './command.ts';

/** The agent of this host, on the socket that `OVERLAND_API_SOCKET` names, or the usual one. */
export function connectAgent({ env }: Pick<CommandContext, 'env'>): AgentClient {
  return agentClient(env.OVERLAND_API_SOCKET || DEFAULT_AGENT_SOCKET);
}

/** Runs `work`; what the agent refuses as asked, or to us, is exit code 2, everything else that it says exit code 1. */
export async function reportingAgentErrors<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof AgentUnreachableError) {
      const Failure = isForRootOnly(error) ? UsageError : FailureError;
      throw new Failure(error.message, { cause: error });
    }
    if (!(error instanceof AgentRefusedError)) throw error;
    const isOurs = error.code === 'invalid' || error.code === 'conflict';
    const Failure = isOurs ? UsageError : FailureError;
    throw new Failure(error.message, { cause: error });
  }
}

/** Whether a socket did not answer because we are not root. */
export function isForRootOnly({ cause }: Error): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === 'EACCES';
}
