import { execInNode } from '@overland/lab';
import { command } from '../command.ts';
import { chooseLab, NAME_OPTION, requireRoot } from '../lab/choose-lab.ts';
import { reportingLabErrors } from '../lab/lab-errors.ts';

/** `lab exec NODE -- COMMAND` - on this terminal, with the command's exit code. */
export const labExec = command({
  name: 'lab exec',
  summary: 'Run a command in a node',
  arguments: {
    node: { summary: 'name of the node' },
    command: { summary: 'program and arguments, after --', variadic: true },
  },
  options: { name: NAME_OPTION },
  examples: [
    ["overland lab exec spine1 -- vtysh -c 'show bgp summary'", "the router's own tool"],
    ['overland lab exec host11 -- ip route', 'the kernel of a host'],
  ],
  handle: (context, { node, command: argv, name }) =>
    reportingLabErrors(async () => {
      requireRoot(context, 'lab exec');
      return execInNode(await chooseLab(name), node, argv);
    }),
});
