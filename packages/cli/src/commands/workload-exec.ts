import { command, UsageError } from '../command.ts';
import { runInside } from '../workload/run-inside.ts';
import { checkWorkload, existingNamespace } from '../workload/workload-namespace.ts';

/** `workload exec NAME -- CMD…` - run a command in a workload's network namespace. Needs no agent. */
export const workloadExec = command({
  name: 'workload exec',
  summary: "Run a command in a workload's network namespace",
  arguments: {
    name: { summary: 'of the workload' },
    command: { summary: 'program and arguments, after --', optional: true, variadic: true },
  },
  examples: [
    ['overland workload exec web1 -- ip address', 'its addresses'],
    ['overland workload exec web1 -- ping -c 3 10.65.0.2', 'exit code of ping'],
  ],
  async handle(context, { name, command: argv }) {
    checkWorkload(context, 'workload exec', name);
    if (!argv || argv.length === 0) throw new UsageError('workload exec wants a command after --');
    return await runInside(existingNamespace(name), argv, context);
  },
});
