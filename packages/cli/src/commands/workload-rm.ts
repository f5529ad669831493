import { deleteNamespace, namespaceIdentity, namespacePath } from '@overland/linux';
import { connectAgent, reportingAgentErrors } from '../agent-connection.ts';
import { command } from '../command.ts';
import { endProcesses } from '../workload/namespace-processes.ts';
import { checkWorkload, WORKLOAD_INTERFACE } from '../workload/workload-namespace.ts';

/** `workload rm NAME` - off the fabric, its processes ended, its namespace gone. One that is absent is no mistake. */
export const workloadRm = command({
  name: 'workload rm',
  summary: 'Take a workload off the fabric, end its processes and remove its namespace',
  arguments: { name: { summary: 'of the workload' } },
  examples: [
    ['overland workload rm web1', 'its addresses are free again'],
    ['for name in web1 web2; do overland workload rm "$name"; done', 'several'],
  ],
  handle: (context, { name }) =>
    reportingAgentErrors(async () => {
      checkWorkload(context, 'workload rm', name);
      const { released } = await connectAgent(context).detach(name, WORKLOAD_INTERFACE);
      if (namespaceIdentity(namespacePath(name)) !== undefined) {
        await endProcesses(namespacePath(name));
        deleteNamespace(name);
      }
      if (!released) {
        context.stderr.write(
          `${name}: off the fabric; its addresses are given back when the datastore answers\n`,
        );
      }
      return 0;
    }),
});
