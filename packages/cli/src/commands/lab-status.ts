import { checkConvergence, observeLab, readMemory, runningNodes } from '@overland/lab';
import { command, OUTPUT_OPTION } from '../command.ts';
import { chooseLab, NAME_OPTION, requireRoot } from '../lab/choose-lab.ts';
import { reportingLabErrors } from '../lab/lab-errors.ts';
import { linksTable, nodesTable, peeringsTable } from '../lab/print-state.ts';

/** `lab status [-o json]` - nodes, links, sessions, and what is missing; exit code 1 if anything is. */
export const labStatus = command({
  name: 'lab status',
  summary: 'Show nodes, links and BGP sessions of a lab, and what is missing',
  options: { name: NAME_OPTION, output: OUTPUT_OPTION },
  examples: [
    ['overland lab status', 'exit code 0 if the lab has converged'],
    ['overland lab status -o json', 'for a script'],
  ],
  handle: (context, { name, output }) =>
    reportingLabErrors(async () => {
      requireRoot(context, 'lab status');
      const { stdout, colours } = context;
      const state = await observeLab(await chooseLab(name));
      const { missing } = await checkConvergence(state);
      const memory = await readMemory(await runningNodes(state.topology.name));
      if (output === 'json') {
        const { topology, nodes, links, sessions } = state;
        const summary = {
          name: topology.name,
          file: topology.file,
          nodes: nodes.map(({ node, pid, interfaces }) => ({
            name: node.name,
            image: node.image,
            pid,
            interfaces,
            processes: memory.find((one) => one.node === node.name)?.processes ?? [],
          })),
          links: links.map(({ link, condition }) => ({ ...link, condition })),
          sessions,
          missing,
        };
        stdout.write(`${JSON.stringify(summary)}\n`);
      } else {
        const parts = [
          nodesTable(state, colours, memory),
          linksTable(state, colours),
          ...(state.sessions.length > 0 ? [peeringsTable(state, colours)] : []),
        ];
        stdout.write(`${parts.join('\n')}\n`);
        for (const line of missing) stdout.write(`${colours.red('missing')}: ${line}\n`);
        if (missing.length === 0) stdout.write(`${colours.green('converged')}\n`);
      }
      return missing.length === 0 ? 0 : 1;
    }),
});
