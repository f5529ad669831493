import { healLinks, linksOf, observeLab, runningNodes } from '@overland/lab';
import { command, UsageError } from '../command.ts';
import { chooseLab, NAME_OPTION, requireRoot } from '../lab/choose-lab.ts';
import { countLinks } from '../lab/count-links.ts';
import { parseFaultTarget } from '../lab/fault-target.ts';
import { reportingLabErrors } from '../lab/lab-errors.ts';

/** `lab heal [link A:eth1|node X]` - mends what `lab fail` broke; without arguments, everything. */
export const labHeal = command({
  name: 'lab heal',
  summary: 'Mend what lab fail broke',
  arguments: {
    what: { summary: 'link or node (default: everything)', optional: true },
    target: { summary: 'NODE:INTERFACE or NODE', optional: true },
  },
  options: { name: NAME_OPTION },
  examples: [
    ['overland lab heal', 'everything'],
    ['overland lab heal link leaf11:eth1', 'one link'],
  ],
  handle: (context, { what, target, name }) =>
    reportingLabErrors(async () => {
      requireRoot(context, 'lab heal');
      if (what !== undefined && target === undefined) {
        throw new UsageError(`lab heal ${what}: which one?`);
      }
      const lab = await chooseLab(name);
      const { topology, links: states } = await observeLab(lab);
      const broken = states.filter(({ condition }) => condition !== 'up').map(({ link }) => link);
      const links =
        what === undefined || target === undefined
          ? broken
          : linksOf(topology, parseFaultTarget(what, target));
      const pids = new Map((await runningNodes(lab)).map(({ node, pid }) => [node, pid]));
      await healLinks(links, pids);
      context.stdout.write(`mended: ${countLinks(links.length)}\n`);
      return 0;
    }),
});
