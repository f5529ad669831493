import { writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { readDocuments } from '@overland/agent/datastore-settings';
import { isJsonObject } from '@overland/model';
import { connectAgent } from '../agent-connection.ts';
import { type CommandContext, command, FailureError } from '../command.ts';
import { type Collector, collectAll, type Outcome, outputOf } from '../diags/collect.ts';
import { HOST_COMMANDS } from '../diags/host-commands.ts';
import {
  configFile,
  kernelFiles,
  LOG_DIRECTORIES,
  logFiles,
  stateDirectory,
} from '../diags/host-files.ts';
import { Secrets } from '../diags/secrets.ts';
import { tarArchive } from '../diags/tar-archive.ts';
import { overlandVersion } from '../overland-version.ts';
import { showProgress } from '../progress.ts';
import { formatTable } from '../table.ts';

const AGENT_FILE = '/etc/overland/agent.yaml';
const CONFIG_FILES = [
  AGENT_FILE,
  '/etc/overland/overland.cfg',
  '/etc/overland/bootstrap.yaml',
  '/etc/calico/calicoctl.cfg',
];

const AGENT_PATHS = {
  'agent/status.json': '/v1/node/status',
  'agent/bgp-summary.json': '/v1/bgp/summary',
  'agent/bgp-routes-ipv4.json': '/v1/bgp/routes?family=ipv4&limit=1000',
  'agent/bgp-routes-ipv6.json': '/v1/bgp/routes?family=ipv6&limit=1000',
  'agent/blocks.json': '/v1/ipam/blocks',
  'agent/workloads.json': '/v1/workloads',
  'agent/liveness.json': '/liveness',
  'agent/metrics': '/metrics',
} as const;

const DEFAULT_STATE_DIRECTORY = '/var/lib/overland';

/** `node diags [-o FILE] [--log-dir DIR]` - everything that helps to find a fault of this host, in one archive without secrets. */
export const nodeDiags = command({
  name: 'node diags',
  summary: 'Collect what helps to find a fault of this host into one archive',
  description:
    "A tar.gz with mode 0600: state of the kernel (links, addresses, rules, routes, next hops, neighbours, sockets, settings, nftables, iptables, IP sets), of the agent (status, BGP, blocks, workloads, metrics, names in its snapshot), configuration, and the ends of logs. Passwords and keys are taken out. Each program has 15 seconds; what fails is noted in summary.txt, and the rest is collected. Run it as root; without, much is missing. Look through it before you give it away: it has the addresses and names of this host's containers.",
  options: {
    output: {
      type: 'string',
      short: 'o',
      value: 'file',
      summary: 'the archive; default: overland-diags-HOST-TIME.tar.gz in the working directory',
    },
    logDir: {
      type: 'list',
      value: 'directory',
      summary: `take the logs of this directory instead of ${LOG_DIRECTORIES.join(', ')}; may be given several times`,
    },
  },
  examples: [
    ['overland node diags', 'into the working directory'],
    ['overland node diags -o /tmp/h1.tar.gz --log-dir /srv/log', 'with logs that lie elsewhere'],
  ],
  async handle(context, { output, logDir }) {
    const { stdout, stderr, signal, workingDirectory } = context;
    if (!context.isRoot) stderr.write('overland: not root: much will be missing\n');
    const started = new Date();
    const secrets = new Secrets();
    secrets.learnFrom(context.env);
    const collectors = await collectorsOf(context, secrets, logDir);
    using progress = showProgress(context);
    progress.say(`collecting ${collectors.length} things`);
    const { files, outcomes } = await collectAll(collectors, {
      scrub: (text) => secrets.scrub(text),
      signal,
      onDone: (done) => {
        if (context.isInteractive) progress.say(`${done} of ${collectors.length} collected`);
      },
    });
    const summary = Buffer.from(await summaryText(outcomes, started));
    const archive = tarArchive([
      { path: 'summary.txt', content: summary, modified: started },
      ...files,
    ]);
    const path = resolve(workingDirectory, output ?? defaultName(started));
    await write(path, await promisify(gzip)(archive));
    const troubled = outcomes.filter(({ trouble }) => trouble !== undefined);
    stdout.write(`${path}\n`);
    if (troubled.length > 0) {
      stderr.write(
        `${troubled.length} of ${outcomes.length} are missing or not whole: see summary.txt\n`,
      );
    }
    return 0;
  },
});

async function collectorsOf(
  context: CommandContext,
  secrets: Secrets,
  logDirectories: readonly string[],
): Promise<Collector[]> {
  const { env, workingDirectory } = context;
  const named = [env.OVERLAND_CONFIG, env.OVERLAND_BOOTSTRAP_FILE].filter(
    (path) => path !== undefined,
  );
  const configs = new Set([
    ...CONFIG_FILES,
    ...named.map((path) => resolve(workingDirectory, path)),
  ]);
  const settings = await agentSettings(
    resolve(workingDirectory, env.OVERLAND_CONFIG ?? AGENT_FILE),
  );
  const state = env.OVERLAND_STATE_DIRECTORY ?? settings.stateDirectory ?? DEFAULT_STATE_DIRECTORY;
  const directories = logDirectories.length > 0 ? logDirectories : LOG_DIRECTORIES;
  const agent = connectAgent(context);
  const found = await Promise.all([
    ...[...configs].map((path) => configFile(path, secrets)),
    ...directories.map((path) => logFiles(resolve(workingDirectory, path))),
    stateDirectory(state, secrets),
  ]);
  return [
    ...HOST_COMMANDS.map(({ name, argv }) => ({
      name,
      collect: (signal: AbortSignal) => outputOf(argv, signal),
    })),
    ...kernelFiles(),
    ...Object.entries(AGENT_PATHS).map(([name, path]) => ({
      name,
      async collect() {
        const reply = secrets.redact(await agent.call('GET', path));
        return { text: typeof reply === 'string' ? reply : `${JSON.stringify(reply, null, 2)}\n` };
      },
    })),
    ...found.flat(),
  ];
}

/** As far as they can be read: an agent that does not start for them is worth a look, too. */
async function agentSettings(path: string): Promise<{ readonly stateDirectory?: string }> {
  try {
    const [settings] = await readDocuments(path);
    const directory = isJsonObject(settings) ? settings.stateDirectory : undefined;
    return typeof directory === 'string' ? { stateDirectory: directory } : {};
  } catch {
    return {};
  }
}

async function summaryText(outcomes: readonly Outcome[], started: Date): Promise<string> {
  const head = [
    `overland ${await overlandVersion()}, Node.js ${process.version.slice(1)}`,
    `host ${hostname()}, ${started.toISOString()}`,
  ];
  const table = formatTable(
    [
      { title: 'NAME', cell: ({ name }: Outcome) => name },
      { title: 'SECONDS', cell: ({ seconds }) => seconds.toFixed(2), align: 'right' },
      { title: 'MISSING', cell: ({ trouble }) => trouble ?? '' },
    ],
    outcomes,
  );
  return `${head.join('\n')}\n\n${table}`;
}

function defaultName(started: Date): string {
  const time = started.toISOString().replaceAll(/[-:]|\.\d+/g, '');
  return `overland-diags-${hostname()}-${time}.tar.gz`;
}

/** Never over a file that is there: it may be somebody's only copy, or not ours to fill. */
async function write(path: string, content: Uint8Array): Promise<void> {
  try {
    await writeFile(path, content, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') throw new FailureError(`${path} exists already; name another with -o`);
    throw new FailureError(`the archive cannot be written: ${message}`, { cause: error });
  }
}
