import { setTimeout as pause } from 'node:timers/promises';
import { failLinks, healLinks, linksOf, observeLab, runningNodes } from '@overland/lab';
import { command } from '../command.ts';
import { parseDurationMs } from '../duration.ts';
import { chooseLab, NAME_OPTION, requireRoot } from '../lab/choose-lab.ts';
import { countLinks } from '../lab/count-links.ts';
import { parseFaultTarget } from '../lab/fault-target.ts';
import { reportingLabErrors } from '../lab/lab-errors.ts';

/** `lab fail link A:eth1|node X` - pulls a cable, or all cables of a node; `--silent`: nobody notices but the timers. */
export const labFail = command({
  name: 'lab fail',
  summary: 'Break a link, or all links of a node',
  arguments: {
    what: { summary: 'link or node' },
    target: { summary: 'NODE:INTERFACE or NODE' },
  },
  options: {
    silent: { type: 'boolean', summary: 'drop everything but leave the link up' },
    for: { type: 'string', value: 'time', summary: 'mend it after this time, such as 10s' },
    name: NAME_OPTION,
  },
  examples: [
    ['overland lab fail link leaf11:eth1', "leaf11's uplink to spine1, until lab heal"],
    ['overland lab fail node leaf12 --silent --for 10s', 'a switch that drops everything'],
  ],
  handle: (context, { what, target: text, silent, for: time, name }) =>
    reportingLabErrors(async () => {
      requireRoot(context, 'lab fail');
      const target = parseFaultTarget(what, text);
      const healAfterMs = time === undefined ? undefined : parseDurationMs('--for', time);
      const lab = await chooseLab(name);
      const { topology } = await observeLab(lab);
      const links = linksOf(topology, target);
      const pids = new Map((await runningNodes(lab)).map(({ node, pid }) => [node, pid]));
      await failLinks(links, { target, mode: silent ? 'silent' : 'down', pids });
      const state = silent ? 'silent' : 'down';
      context.stdout.write(`${what} ${text} is ${state} (${countLinks(links.length)})\n`);
      if (healAfterMs === undefined) return 0;
      try {
        await pause(healAfterMs, undefined, { signal: context.signal });
      } finally {
        await healLinks(links, pids);
        context.stdout.write(`${what} ${text} is mended\n`);
      }
      return 0;
    }),
});
