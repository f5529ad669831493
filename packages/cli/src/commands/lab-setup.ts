import { existsSync } from 'node:fs';
import { installPackages, missingPackages } from '@overland/lab';
import { command } from '../command.ts';
import { requireRoot } from '../lab/choose-lab.ts';
import { reportingLabErrors } from '../lab/lab-errors.ts';

/** `lab setup` - installs the system packages that labs need; says which before it does. */
export const labSetup = command({
  name: 'lab setup',
  summary: 'Install the system packages that labs need',
  description:
    'Only what is missing. Nothing is removed, and no service is started or enabled. Debian and Ubuntu.',
  options: {
    dryRun: { type: 'boolean', summary: 'only say what is missing' },
    runtimes: { type: 'boolean', summary: 'container runtimes for the tests, too' },
  },
  examples: [
    ['overland lab setup', 'before the first lab; lab up does it too'],
    ['overland lab setup --dry-run', 'what is missing'],
  ],
  handle: (context, { dryRun, runtimes }) =>
    reportingLabErrors(async () => {
      const missing = missingPackages(existsSync, { runtimes });
      const names = missing.map(({ name }) => name).join(', ');
      if (missing.length === 0) context.stdout.write('nothing is missing\n');
      else if (dryRun) context.stdout.write(`missing: ${names}\n`);
      else {
        requireRoot(context, 'lab setup');
        await installPackages(missing, (what) => void context.stderr.write(`${what}\n`));
        context.stdout.write(`installed: ${names}\n`);
      }
      return 0;
    }),
});
