import { checkHostSysctls, openKernel, type SysctlFinding } from '@overland/linux';
import { WORKLOAD_LINK } from '@overland/net';
import { command, OUTPUT_OPTION } from '../command.ts';
import { type Column, formatTable } from '../table.ts';

/** `node checksystem [-o json]` - the kernel settings of this host against what it should have; exit code 1 if any differs. */
export const nodeChecksystem = command({
  name: 'node checksystem',
  summary: "Compare this host's kernel settings with what a host should have",
  description: 'The agent applies these settings when it starts; this command changes nothing.',
  options: { output: OUTPUT_OPTION },
  examples: [
    ['overland node checksystem', 'each setting with its reason'],
    ['overland node checksystem -o json', 'for a script'],
  ],
  async handle({ stdout, colours }, { output }) {
    await using kernel = openKernel();
    const links = await kernel.links.list();
    const uplinks = links
      .map(({ name }) => name)
      .filter((name) => name !== 'lo' && !name.startsWith(WORKLOAD_LINK.namePrefix));
    const findings = await checkHostSysctls(kernel.sysctls, uplinks);
    const paint = { ok: colours.green, differs: colours.red, missing: colours.dim };
    const columns: readonly Column<SysctlFinding>[] = [
      { title: 'SETTING', cell: ({ key }) => key },
      { title: 'IS', cell: ({ actual }) => actual ?? '-' },
      {
        title: 'SHOULD BE',
        cell: ({ rule, value }) => `${rule === 'at-least' ? '≥ ' : ''}${value}`,
      },
      { title: '', cell: ({ state }) => paint[state as keyof typeof paint]?.(state) ?? state },
      { title: 'REASON', cell: ({ reason }) => reason },
    ];
    if (output === 'json') stdout.write(`${JSON.stringify(findings)}\n`);
    else stdout.write(formatTable(columns, findings, colours.bold));
    return findings.some(({ state }) => state === 'differs') ? 1 : 0;
  },
});
