import { deleteNamespace, namespacePath } from '@overland/linux';
import { connectAgent, reportingAgentErrors } from '../agent-connection.ts';
import { command, FailureError, UsageError } from '../command.ts';
import { runInside, startInside } from '../workload/run-inside.ts';
import {
  checkWorkload,
  ensureNamespace,
  WORKLOAD_INTERFACE,
} from '../workload/workload-namespace.ts';

const AGENT_WAIT_MS = 30_000;

/** `workload run NAME [-- CMD…]` - a network namespace on the fabric, without a container runtime. */
export const workloadRun = command({
  name: 'workload run',
  summary: 'Make a network namespace, put it on the fabric, and run a command in it',
  description:
    'The namespace stays when the command ends; without a command it is only made. Running it again for one that is there changes nothing.',
  arguments: {
    name: { summary: 'of the workload and of its namespace below /run/netns' },
    command: { summary: 'program and arguments, after --', optional: true, variadic: true },
  },
  options: {
    label: { type: 'list', short: 'l', value: 'key=value', summary: 'label of the workload' },
    profile: {
      type: 'list',
      value: 'name',
      summary: 'profile that decides where no policy does; default: one that allows everything',
    },
    detach: { type: 'boolean', short: 'd', summary: 'leave the command running' },
  },
  examples: [
    ['overland workload run web1 --label app=web', 'a namespace with addresses of this host'],
    ['overland workload run web1 -d -- python3 -m http.server', 'with a server in it'],
  ],
  handle: (context, { name, command: argv, label, profile, detach }) =>
    reportingAgentErrors(async () => {
      checkWorkload(context, 'workload run', name);
      const labels = parseLabels(label);
      const agent = connectAgent(context);
      await agent.waitUntilReady(AGENT_WAIT_MS, context.signal);
      refuseToGoOn(context.signal, name);
      const isNew = ensureNamespace(name);
      const path = namespacePath(name);
      try {
        const { addresses, announced } = await agent.attach({
          containerId: name,
          interface: WORKLOAD_INTERFACE,
          namespacePath: path,
          name,
          labels,
          ...(profile.length > 0 && { profiles: [...profile] }),
        });
        const remark = announced ? '' : ' (no BGP peer has the block yet)';
        refuseToGoOn(context.signal, name);
        context.stderr.write(`${name}: ${addresses.join(' ')}${remark}\n`);
      } catch (error) {
        if (isNew) {
          if (context.signal.aborted) await agent.detach(name, WORKLOAD_INTERFACE);
          deleteNamespace(name);
        }
        throw error;
      }
      if (!argv || argv.length === 0) return 0;
      if (!detach) return await runInside(path, argv, context);
      context.stderr.write(`${name}: process ${await startInside(path, argv)}\n`);
      return 0;
    }),
});

/** @throws {FailureError} If somebody has asked us to stop. */
function refuseToGoOn(signal: AbortSignal, name: string): void {
  if (signal.aborted) throw new FailureError(`${name}: interrupted by ${String(signal.reason)}`);
}

function parseLabels(pairs: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      if (at < 1) throw new UsageError(`--label wants KEY=VALUE, not '${pair}'`);
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}
