import { resolve } from 'node:path';
import { askForBfdStatus, BfdSocketError, DEFAULT_BFD_SOCKET } from '@overland/bgp/bfd';
import { isForRootOnly } from '../agent-connection.ts';
import { bfdText } from '../bgp/bfd-text.ts';
import { command, FailureError, OUTPUT_OPTION, UsageError } from '../command.ts';

/** `bfd status [-o json]` - the BFD sessions of this host. */
export const bfdStatus = command({
  name: 'bfd status',
  summary: 'Show the BFD sessions of this host in the words of FRR',
  options: {
    output: OUTPUT_OPTION,
    socket: {
      type: 'string',
      value: 'path',
      summary: 'socket of the BFD process',
      default: DEFAULT_BFD_SOCKET,
    },
    check: { type: 'boolean', summary: 'exit with 1 unless every session is up' },
  },
  examples: [
    ['overland bfd status', 'every session, with its timers and why it is down'],
    ['overland bfd status --check -o json', 'for a script'],
  ],
  async handle({ stdout, workingDirectory, colours }, { output, socket, check }) {
    const path = resolve(workingDirectory, socket);
    const summary = await askForBfdStatus(path).catch((error: unknown) => {
      if (!(error instanceof BfdSocketError)) throw error;
      if (isForRootOnly(error)) throw new UsageError(`${path} may be used by root only`);
      throw new FailureError(error.message);
    });
    stdout.write(output === 'json' ? `${JSON.stringify(summary)}\n` : bfdText(summary, colours));
    return check && summary.sessions.some(({ state }) => state !== 'Up') ? 1 : 0;
  },
});
