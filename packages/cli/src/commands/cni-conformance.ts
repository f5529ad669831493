import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import {
  CONFORMANCE_POINTS,
  type ConformanceOptions,
  type Finding,
  runConformance,
} from '@overland/cni/conformance';
import type { Colours } from '../colours.ts';
import { type CommandContext, command, OUTPUT_OPTION, UsageError } from '../command.ts';
import { type Column, formatTable } from '../table.ts';

/** `cni conformance PLUGIN` - what a plugin does of what the specification and runtimes ask; exit code 1 if it fails a point. */
export const cniConformance = command({
  name: 'cni conformance',
  summary: 'Look at a CNI plugin, ours or another, point by point',
  description:
    'The network namespace that it is run in is the host; containers are namespaces that are made for it and removed. docs/cni.md has the points. Exit code 1 if one fails.',
  arguments: { plugin: { summary: 'path of the executable' } },
  options: {
    config: { type: 'string', value: 'file', summary: 'network configuration of the plugin, JSON' },
    smallConfig: {
      type: 'string',
      value: 'file',
      summary: 'another with at most ten addresses, to exhaust them',
    },
    path: { type: 'list', value: 'directory', summary: 'of plugins, for CNI_PATH; /opt/cni/bin' },
    env: { type: 'list', short: 'e', value: 'KEY=VALUE', summary: 'variable of the plugin' },
    daemonGone: {
      type: 'list',
      value: 'KEY=VALUE',
      summary: 'variable under which the plugin finds no daemon',
    },
    ipam: { type: 'string', value: 'name', summary: 'executable for addresses alone, to look at' },
    point: { type: 'list', short: 'p', value: 'number', summary: 'to look at; all' },
    concurrency: {
      type: 'number',
      value: 'count',
      summary: 'ADDs at the same time',
      minimum: 2,
      maximum: 500,
      default: 50,
    },
    output: OUTPUT_OPTION,
  },
  examples: [
    ['sudo overland cni conformance /opt/cni/bin/overland', 'the plugin of this host'],
    [
      'sudo overland cni conformance /usr/lib/cni/ptp --config ptp.json --path /usr/lib/cni -p 10 -p 19',
      'two points of another',
    ],
  ],
  async handle(context, input) {
    if (!context.isRoot)
      throw new UsageError('cni conformance makes network namespaces: run it with sudo');
    const { daemonGone, concurrency, ipam, path } = input;
    const options: ConformanceOptions = {
      plugin: resolve(context.workingDirectory, input.plugin),
      config: (await readConfig(context, input.config)) ?? {},
      smallConfig: await readConfig(context, input.smallConfig),
      path: path.length > 0 ? path : ['/opt/cni/bin'],
      env: { PATH: context.env.PATH ?? '', ...variables('--env', input.env) },
      ...(daemonGone.length > 0 && { daemonGone: variables('--daemon-gone', daemonGone) }),
      ipam,
      concurrency,
    };
    const findings = await runConformance(options, pointNumbers(input.point));
    const { stdout, colours } = context;
    if (input.output === 'json') stdout.write(`${JSON.stringify(findings)}\n`);
    else stdout.write(findingTable(findings, colours));
    return findings.some(({ verdict }) => verdict === 'fail') ? 1 : 0;
  },
});

function findingTable(findings: readonly Finding[], colours: Colours): string {
  const paint = { pass: colours.green, fail: colours.red, skip: colours.dim };
  const columns: readonly Column<Finding>[] = [
    { title: 'POINT', cell: ({ point }) => String(point) },
    { title: '', cell: ({ verdict }) => paint[verdict](verdict) },
    { title: 'WHAT', cell: ({ title }) => title },
    { title: 'WHY NOT', cell: ({ detail }) => detail },
  ];
  return formatTable(columns, findings, colours.bold);
}

async function readConfig(
  { workingDirectory }: CommandContext,
  file: string | undefined,
): Promise<Record<string, unknown> | undefined> {
  if (file === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(await readFile(resolve(workingDirectory, file), 'utf8'));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return value as Record<string, unknown>;
    }
  } catch (error) {
    throw new UsageError(`${file} cannot be read: ${(error as Error).message}`, { cause: error });
  }
  throw new UsageError(`${file} is no network configuration: it must be a JSON object`);
}

function variables(option: string, pairs: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      if (at < 1) throw new UsageError(`${option} wants KEY=VALUE, not '${pair}'`);
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}

function pointNumbers(given: readonly string[]): readonly number[] {
  if (given.length === 0) return CONFORMANCE_POINTS;
  return given.map((text) => {
    const number = CONFORMANCE_POINTS.find((point) => String(point) === text);
    if (number === undefined) throw new UsageError(`--point wants 1 to 40, not '${text}'`);
    return number;
  });
}
