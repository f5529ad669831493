import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { SpeakerConfig } from '@overland/bgp';
import { DEFAULT_BFD_SOCKET, thisProgram } from '@overland/bgp/bfd';
import {
  ControlSocketError,
  DEFAULT_CONTROL_SOCKET,
  ListenError,
  MrtFeedError,
  parseSpeakerFile,
  runStandaloneRouter,
  SpeakerFileError,
  TraceFileError,
} from '@overland/bgp/node';
import { pino } from 'pino';
import { withoutSecrets } from '../bgp/without-secrets.ts';
import { command, FailureError, LOG_LEVEL_OPTION, UsageError } from '../command.ts';

/** `bgp run -c FILE` - a router without agent, until it is told to stop. */
export const bgpRun = command({
  name: 'bgp run',
  summary: 'Run a BGP router from a speaker file, without agent and datastore',
  description:
    "Learned routes go into the kernel and stay there when the router stops: a restart loses no packet, because peers that know graceful restart keep theirs meanwhile. On SIGHUP the file is read again: only sessions whose own settings differ begin anew, and a faulty file changes nothing ('--dry-run' checks one).",
  options: {
    config: { type: 'string', short: 'c', value: 'file', summary: 'speaker file, YAML' },
    dryRun: { type: 'boolean', summary: 'check the file, print what it means as JSON, and end' },
    noFib: { type: 'boolean', summary: "leave the kernel's routes alone" },
    socket: {
      type: 'string',
      value: 'path',
      summary: 'control socket, for overland bgp summary',
      default: DEFAULT_CONTROL_SOCKET,
    },
    bfdSocket: {
      type: 'string',
      value: 'path',
      summary: 'socket of overland bfd run, which is started if a peer needs it',
      default: DEFAULT_BFD_SOCKET,
    },
    record: {
      type: 'string',
      value: 'file',
      summary:
        'write what the speaker is told and does, for overland bgp replay-trace; at most 1 GiB',
    },
    metricsPort: {
      type: 'string',
      value: 'port',
      summary: 'TCP port of /metrics on the loopback address; default: the control socket alone',
    },
    logLevel: LOG_LEVEL_OPTION,
  },
  examples: [
    ['overland bgp run -c speaker.yaml', 'until SIGTERM'],
    ['overland bgp run -c speaker.yaml --dry-run', 'is the file right?'],
  ],
  async handle(context, { config: file, dryRun, noFib, socket, bfdSocket, logLevel, ...more }) {
    if (file === undefined) throw new UsageError('bgp run needs a speaker file: -c FILE');
    const { workingDirectory, stdout, signal, isRoot } = context;
    const readConfig = async (): Promise<SpeakerConfig> => {
      const read = await readSpeakerFile(resolve(workingDirectory, file), file);
      if (!noFib || !read.suppressFibPending) return read;
      throw new UsageError(
        `${file}: suppressFibPending: true is not allowed with --no-fib: nobody puts routes into the kernel`,
      );
    };
    const { record } = more;
    const metricsPort = more.metricsPort === undefined ? undefined : portOf(more.metricsPort);
    const config = await readConfig();
    if (dryRun) {
      stdout.write(`${JSON.stringify(withoutSecrets(config), undefined, 2)}\n`);
      return 0;
    }
    if (!isRoot && !noFib) {
      throw new UsageError(
        "bgp run needs root (sudo): it keeps the kernel's routes; --no-fib does not",
      );
    }
    const log = pino({ level: logLevel }, stdout);
    const controlSocket = resolve(workingDirectory, socket);
    const bfd = resolve(workingDirectory, bfdSocket);
    const options = {
      config,
      readConfig,
      log,
      controlSocket,
      noFib,
      bfdSocket: bfd,
      command: thisProgram(),
      ...(record !== undefined && { record: resolve(workingDirectory, record) }),
      ...(metricsPort !== undefined && { metricsPort }),
    };
    try {
      await runStandaloneRouter(options, signal);
    } catch (error) {
      if (
        error instanceof ListenError ||
        error instanceof ControlSocketError ||
        error instanceof MrtFeedError ||
        error instanceof TraceFileError
      ) {
        throw new FailureError(error.message);
      }
      throw error;
    }
    return 0;
  },
});

function portOf(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 1 && port <= 65_535) return port;
  throw new UsageError(`--metrics-port must be a port from 1 to 65535, not ${text}`);
}

async function readSpeakerFile(path: string, given: string): Promise<SpeakerConfig> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const { code = String(error) } = error as NodeJS.ErrnoException;
    throw new UsageError(
      code === 'ENOENT' ? `there is no file ${given}` : `cannot read ${given}: ${code}`,
    );
  }
  try {
    return parseSpeakerFile(text);
  } catch (error) {
    if (!(error instanceof SpeakerFileError)) throw error;
    throw new UsageError(error.faults.map((fault) => `${given}: ${fault}`).join('\n'));
  }
}
