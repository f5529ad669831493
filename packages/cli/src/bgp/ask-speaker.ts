import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import {
  askSpeaker,
  ControlSocketError,
  DEFAULT_CONTROL_SOCKET,
  type SpeakerRequest,
} from '@overland/bgp/node';
import { isForRootOnly } from '../agent-connection.ts';
import { type CommandContext, FailureError, type OptionSpec, UsageError } from '../command.ts';

const AGENT_SOCKET = '/run/overland/agent.sock';

/** `--socket`: every command that asks a speaker has it. */
export const SOCKET_OPTION = {
  type: 'string',
  value: 'path',
  summary: `control socket; default: that of the agent, else ${DEFAULT_CONTROL_SOCKET}`,
} as const satisfies OptionSpec;

/** The speaker has no such peer or prefix: exit code 3. */
class SpeakerNotFoundError extends Error {
  override readonly name = 'SpeakerNotFoundError';
}

/**
 * Asks this host's speaker: the agent's, or that of `bgp run`.
 *
 * @param socket Of the command line; `undefined`: the one that is there.
 * @returns The answer, whose type the question settles.
 */
export async function askHere<T>(
  { workingDirectory, signal }: Pick<CommandContext, 'workingDirectory' | 'signal'>,
  socket: string | undefined,
  request: SpeakerRequest,
): Promise<T> {
  const path = socket === undefined ? presentSocket() : resolve(workingDirectory, socket);
  try {
    return (await askSpeaker(path, request, signal)) as T;
  } catch (error) {
    if (!(error instanceof ControlSocketError)) throw error;
    if (isForRootOnly(error)) throw new UsageError(`${path} may be used by root only`);
    if (error.code === 'invalid') throw new UsageError(error.message);
    if (error.code === 'not-found') throw new SpeakerNotFoundError(error.message);
    throw new FailureError(error.message);
  }
}

function presentSocket(): string {
  const isStandalone = !existsSync(AGENT_SOCKET) && existsSync(DEFAULT_CONTROL_SOCKET);
  return isStandalone ? DEFAULT_CONTROL_SOCKET : AGENT_SOCKET;
}
