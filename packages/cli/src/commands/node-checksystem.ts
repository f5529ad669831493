import {
  checkHostSysctls,
  type FeatureFinding,
  openKernel,
  probeKernelFeatures,
  type SysctlFinding,
} from '@overland/linux';
import { isWorkloadLink } from '@overland/net';
import type { Colours } from '../colours.ts';
import { command, OUTPUT_OPTION } from '../command.ts';
import { type Column, formatTable } from '../table.ts';

/** `node checksystem [-o json]` - what the kernel can do, and its settings, against what a host needs; exit code 1 if anything is amiss. */
export const nodeChecksystem = command({
  name: 'node checksystem',
  summary: 'Check that the kernel can do what a host needs, and its settings',
  description:
    'Each feature is tried in a network namespace that is thrown away (root only), not looked up in a list of modules. The agent makes the settings when it starts; this command changes nothing. Exit code 1 if a required feature is missing or a setting differs.',
  options: { output: OUTPUT_OPTION },
  examples: [
    ['sudo overland node checksystem', 'each feature and setting with its reason'],
    ['overland node checksystem -o json', 'for a script'],
  ],
  async handle({ stdout, stderr, colours }, { output }) {
    const features = await probeKernelFeatures();
    await using kernel = openKernel();
    const links = await kernel.links.list();
    const uplinks = links
      .map(({ name }) => name)
      .filter((name) => name !== 'lo' && !isWorkloadLink(name));
    const settings = await checkHostSysctls(kernel.sysctls, uplinks);
    if (output === 'json') stdout.write(`${JSON.stringify({ features, settings })}\n`);
    else stdout.write(`${featureTable(features, colours)}\n${settingTable(settings, colours)}`);
    if (features.some(({ state }) => state === 'unknown')) {
      stderr.write('overland: features can be tried by root only: run with sudo\n');
    }
    const isAmiss =
      features.some(({ state, need }) => state === 'missing' && need === 'required') ||
      settings.some(({ state }) => state === 'differs');
    return isAmiss ? 1 : 0;
  },
});

function featureTable(findings: readonly FeatureFinding[], colours: Colours): string {
  const paint = { ok: colours.green, missing: colours.red, unknown: colours.yellow };
  const columns: readonly Column<FeatureFinding>[] = [
    { title: 'FEATURE', cell: ({ name }) => name },
    { title: 'NEED', cell: ({ need }) => need },
    { title: '', cell: ({ state }) => paint[state](state) },
    { title: 'REASON', cell: ({ reason, detail }) => `${reason}${detail && ` (${detail})`}` },
  ];
  return formatTable(columns, findings, colours.bold);
}

function settingTable(findings: readonly SysctlFinding[], colours: Colours): string {
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
  return formatTable(columns, findings, colours.bold);
}
