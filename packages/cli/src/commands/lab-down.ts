import { resolve } from 'node:path';
import { knownLabs, loadTopology, takeDown } from '@overland/lab';
import { command } from '../command.ts';
import { chooseLab, NAME_OPTION, requireRoot } from '../lab/choose-lab.ts';
import { reportingLabErrors } from '../lab/lab-errors.ts';

/** `lab down [FILE]` - ends every node, whatever state it is in, and removes the lab's files. */
export const labDown = command({
  name: 'lab down',
  summary: 'Take a lab down and remove what it left',
  description:
    'Also after a crash: what belongs to the lab is found in /proc. Doing it twice is no error.',
  arguments: { file: { summary: 'topology, instead of --name', optional: true } },
  options: { name: NAME_OPTION },
  examples: [
    ['overland lab down', 'the only lab that runs'],
    ['overland lab down --name leaf-spine', 'that one'],
  ],
  handle: (context, { file, name }) =>
    reportingLabErrors(async () => {
      requireRoot(context, 'lab down');
      const named =
        name ??
        (file === undefined
          ? undefined
          : loadTopology(resolve(context.workingDirectory, file), context.env).name);
      if (named === undefined && (await knownLabs()).length === 0) {
        context.stdout.write('no lab runs\n');
        return 0;
      }
      const lab = await chooseLab(named);
      const wasThere = await takeDown(lab);
      context.stdout.write(wasThere ? `lab '${lab}' is down\n` : `lab '${lab}' does not run\n`);
      return 0;
    }),
});
