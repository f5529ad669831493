import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import {
  bringUp,
  type Convergence,
  type ExecFailure,
  InstallError,
  installPackages,
  type LabState,
  loadTopology,
  missingPackages,
  observeLab,
  readBlocks,
  type Topology,
  waitForConvergence,
  withEtcd,
  withOverlandRouters,
} from '@overland/lab';
import { contains, type IpAddress, type Prefix } from '@overland/net';
import { type CommandContext, command } from '../command.ts';
import { CHECKOUT, DEFAULT_TOPOLOGY, overlandCommand } from '../lab/checkout.ts';
import { requireRoot } from '../lab/choose-lab.ts';
import { reportingLabErrors } from '../lab/lab-errors.ts';
import { PingTally, pingMatrix } from '../lab/print-pings.ts';
import { blocksTable, nodesTable, peeringsTable } from '../lab/print-state.ts';
import { type Progress, showProgress } from '../progress.ts';

/** `lab up [FILE]` - from a topology file to a fabric in which everything reaches everything. */
export const labUp = command({
  name: 'lab up',
  summary: 'Bring up a lab and wait until it has converged',
  description:
    'Installs the system packages that the lab needs and are missing, makes what does not run yet, and prints the topology, the BGP sessions, the IPAM blocks and a ping matrix.',
  arguments: {
    file: { summary: 'containerlab topology (default: lab/leaf-spine.clab.yml)', optional: true },
  },
  options: {
    name: { type: 'string', value: 'lab', summary: "name of the lab (default: the file's)" },
    datastore: {
      type: 'string',
      value: 'kind',
      choices: ['sqlite', 'etcd'],
      default: 'sqlite',
      summary: 'where the agents keep resources',
    },
    routers: {
      type: 'string',
      value: 'kind',
      choices: ['default', 'overland'],
      default: 'default',
      summary: "overland: every switch runs Overland's own speaker",
    },
    timeout: {
      type: 'number',
      value: 'seconds',
      minimum: 1,
      maximum: 3600,
      default: 60,
      summary: 'how long it may take to converge',
    },
  },
  examples: [
    ['overland lab up', 'two spines, four leaves, four hosts, twelve containers'],
    ['overland lab up my.clab.yml --datastore etcd', 'another topology, on a real etcd'],
  ],
  handle: (context, input) =>
    reportingLabErrors(async () => {
      requireRoot(context, 'lab up');
      const file = resolve(context.workingDirectory, input.file ?? DEFAULT_TOPOLOGY);
      const read = loadTopology(file, context.env, input.name);
      const routed = input.routers === 'overland' ? withOverlandRouters(read) : read;
      const topology = input.datastore === 'etcd' ? withEtcd(routed) : routed;
      for (const warning of topology.warnings) context.stderr.write(`${warning}\n`);
      const { failures, state, convergence } = await make(topology, context, input.timeout);
      await print(state, convergence, context);
      return report(failures, convergence, context);
    }),
});

async function make(
  topology: Topology,
  context: CommandContext,
  timeoutSeconds: number,
): Promise<{ failures: ExecFailure[]; state: LabState; convergence: Convergence }> {
  const { signal } = context;
  using progress = showProgress(context);
  await installMissing(topology, progress);
  const failures = await bringUp(topology, {
    checkout: CHECKOUT,
    overland: overlandCommand(),
    signal,
    progress: (what) => progress.say(what),
  });
  const waited = await waitForConvergence(() => observeLab(topology.name), {
    deadlineMs: timeoutSeconds * 1000,
    signal,
    progress: (missing) => sayMissing(progress, missing),
  });
  return { failures, ...waited };
}

async function installMissing(topology: Topology, progress: Progress): Promise<void> {
  const missing = missingPackages(existsSync, { topology });
  try {
    await installPackages(missing, (what) => progress.say(what));
  } catch (error) {
    const isRouter = missing.some(({ name }) => name === 'frr' || name === 'bird2');
    if (!(error instanceof InstallError) || !isRouter) throw error;
    const hint = "without them: '--routers overland' runs the switches with Overland's own speaker";
    throw new InstallError(`${error.message}\n${hint}`, { cause: error });
  }
}

function sayMissing(progress: Progress, missing: readonly string[]): void {
  const [first = ''] = missing;
  const more = missing.length > 1 ? ` (and ${missing.length - 1} more)` : '';
  progress.say(`converging: ${first}${more}`);
}

async function print(
  state: LabState,
  { endpoints, pings }: Convergence,
  { stdout, colours }: CommandContext,
): Promise<void> {
  const blocks = await readBlocks(state, (prefix, address) =>
    contains(prefix as Prefix, address.split('/', 1)[0] as IpAddress),
  );
  const tally = new PingTally();
  tally.add(pings);
  stdout.write(`${nodesTable(state, colours)}\n`);
  if (state.sessions.length > 0) stdout.write(`${peeringsTable(state, colours)}\n`);
  if (blocks.length > 0) stdout.write(`${blocksTable(blocks, colours)}\n`);
  if (pings.length > 0) {
    stdout.write(`${pingMatrix(endpoints, tally, colours)}\n${tally.summary()}\n`);
  }
}

function report(
  failures: readonly ExecFailure[],
  { missing }: Convergence,
  { stdout, stderr, colours }: CommandContext,
): number {
  for (const { node, command: line, reason } of failures) {
    stderr.write(`overland: ${node}: '${line}' failed: ${reason}\n`);
  }
  for (const line of missing) stderr.write(`overland: ${line}\n`);
  const converged = failures.length === 0 && missing.length === 0;
  if (converged) stdout.write(`${colours.green('converged')}\n`);
  else stderr.write('overland: the lab has not converged; it still runs, for you to look at\n');
  return converged ? 0 : 1;
}
