import { resolve } from 'node:path';
import {
  BfdSocketError,
  DEFAULT_BFD_SOCKET,
  PeerArgumentError,
  parsePeerArgument,
  runBfdProcess,
} from '@overland/bgp/bfd';
import { KernelError } from '@overland/linux';
import { pino } from 'pino';
import { command, FailureError, LOG_LEVEL_OPTION, UsageError } from '../command.ts';

/** `bfd run` - BFD for this host, until it is told to stop. */
export const bfdRun = command({
  name: 'bfd run',
  summary: 'Run BFD for this host, in a process that outlives agent and speaker',
  description:
    'Sessions are those that clients declare on the socket (`overland bgp run` does) and those of --peer: ADDRESS[%DEVICE][,tx=MS][,rx=MS][,multiplier=N][,passive][,multihop][,min-ttl=N][,local=ADDRESS]. When it is told to stop, peers hear that it is on purpose (AdminDown).',
  options: {
    peer: { type: 'list', value: 'peer', summary: 'a session to keep; may be given several times' },
    socket: {
      type: 'string',
      value: 'path',
      summary: 'where clients connect, for root only',
      default: DEFAULT_BFD_SOCKET,
    },
    keepSeconds: {
      type: 'number',
      value: 'seconds',
      summary: 'how long sessions outlive a client that vanished',
      minimum: 0,
      maximum: 86_400,
      default: 120,
    },
    untilUnused: { type: 'boolean', summary: 'end when there is neither client nor session' },
    logLevel: LOG_LEVEL_OPTION,
  },
  examples: [
    ['overland bfd run --peer 10.1.0.1,tx=50,rx=50', 'a session with a switch, 50 ms × 3'],
    ['overland bfd run --peer 10.9.9.9,multihop,min-ttl=250', 'RFC 5883, at most 5 hops away'],
  ],
  async handle(context, { peer, socket, keepSeconds, untilUnused, logLevel }) {
    const { workingDirectory, stdout, signal, isRoot } = context;
    const sessions = (peer ?? []).map((text) => {
      try {
        return parsePeerArgument(text);
      } catch (error) {
        if (!(error instanceof PeerArgumentError)) throw error;
        throw new UsageError(error.message);
      }
    });
    if (!isRoot) throw new UsageError('bfd run needs root (sudo): it filters by TTL in the kernel');
    const log = pino({ level: logLevel }, stdout);
    const path = resolve(workingDirectory, socket);
    const options = { log, socket: path, keepSeconds, sessions, endsWhenUnused: untilUnused };
    try {
      await runBfdProcess(options, signal);
    } catch (error) {
      if (error instanceof BfdSocketError || error instanceof KernelError) {
        throw new FailureError(error.message);
      }
      throw error;
    }
    return 0;
  },
});
