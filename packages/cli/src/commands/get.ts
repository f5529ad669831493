import type { ResourceClient } from '@overland/datastore';
import { BGP_CONFIGURATION_DEFAULTS, type Kind, kindTable } from '@overland/model';
import { command, UsageError } from '../command.ts';
import { CONNECTION_OPTIONS } from '../datastore/connection-options.ts';
import { openClient } from '../datastore/open-client.ts';
import { exitCodeOfAll } from '../exit-codes.ts';
import { exportForm } from '../resources/export-form.ts';
import { kindArgument, knownKinds } from '../resources/kind-argument.ts';
import { labelSelector } from '../resources/label-selector.ts';
import type { ClusterValues } from '../resources/output/kind-columns.ts';
import {
  OUTPUT_FORMATS,
  type OutputFormat,
  parseOutputFormat,
} from '../resources/output/output-format.ts';
import { createPrinter } from '../resources/output/printer.ts';
import { readObjects, type Selection } from '../resources/read-objects.ts';
import { watchObjects } from '../resources/watch-objects.ts';
import { writeOut } from '../write-out.ts';

/** `get KIND [NAME…] [-o FORMAT] [-w]` - shows resources. */
export const get = command({
  name: 'get',
  summary: 'Show resources',
  description: `Formats: ${OUTPUT_FORMATS}. custom-columns takes names of columns (NAME,CIDR) or makes them (NAME:.metadata.name,RACK:.metadata.labels.rack). docs/cli.md has what templates and paths may hold.`,
  arguments: {
    kind: { summary: 'kind, plural or alias', optional: true },
    names: { summary: 'names; all without', optional: true, variadic: true },
  },
  options: {
    output: {
      type: 'string',
      short: 'o',
      value: 'format',
      summary: 'how to print',
      default: 'ps',
    },
    namespace: {
      type: 'string',
      short: 'n',
      value: 'namespace',
      summary: "namespace of namespaced resources; 'default' if not given",
    },
    allNamespaces: { type: 'boolean', short: 'A', summary: 'resources of all namespaces' },
    all: { type: 'boolean', short: 'a', summary: 'the same as --all-namespaces' },
    selector: {
      type: 'string',
      short: 'l',
      value: 'selector',
      summary: "only resources with such labels: rack=r1,role!=leaf, or Calico's selectors",
    },
    export: {
      type: 'boolean',
      summary: 'leave out uid, version, times and namespace of the resources that are named',
    },
    watch: { type: 'boolean', short: 'w', summary: 'go on and print every change, until Ctrl-C' },
    ...CONNECTION_OPTIONS,
  },
  examples: [
    ['overland get ippools -o wide', 'a table with all columns'],
    ['overland get bgppeer leaf11 -o yaml --export > leaf11.yaml', 'a manifest to apply elsewhere'],
    [
      'overland get nodes -l rack=r1 -o custom-columns=NAME:.metadata.name,AS:.spec.bgp.asNumber',
      'columns of your own',
    ],
  ],
  async handle(context, input) {
    if (input.kind === undefined) throw new UsageError(`name a kind: one of ${knownKinds()}`);
    const kind = kindArgument(input.kind);
    const selection = selectionOf(kind, input);
    const isSingle = selection.names.length === 1;
    const format = parseOutputFormat(input.output, {
      kind,
      hasNamespaceColumn: kindTable(kind).namespaced && selection.namespace === undefined,
      workingDirectory: context.workingDirectory,
    });
    await using open = await openClient(context, { config: input.config });
    const cluster = await clusterValues(open.client, kind, format);
    if (input.watch) {
      await watchObjects(context, open, { selection, format, cluster });
      return 0;
    }
    const { stdout, stderr, colours } = context;
    const printer = createPrinter(format, { kind, isSingle, cluster, colours });
    const errors: Error[] = [];
    let found = 0;
    for await (const page of readObjects(open.client, selection)) {
      errors.push(...page.errors);
      const shown =
        input.export && selection.names.length > 0
          ? page.resources.map(exportForm)
          : page.resources;
      found += shown.length;
      // Nothing was found by name: there is only an error to print.
      if (shown.length > 0 || selection.names.length === 0)
        await writeOut(stdout, printer.page(shown, page.version));
    }
    if (found > 0 || selection.names.length === 0) await writeOut(stdout, printer.end());
    for (const { message } of errors) {
      for (const line of message.split('\n')) stderr.write(`overland: ${line}\n`);
    }
    return exitCodeOfAll(errors);
  },
});

interface SelectionInput {
  readonly names: readonly string[];
  readonly namespace: string | undefined;
  readonly allNamespaces: boolean;
  readonly all: boolean;
  readonly selector: string | undefined;
}

function selectionOf(kind: Kind, input: SelectionInput): Selection {
  const isAll = input.allNamespaces || input.all;
  const names = [...new Set(input.names)];
  if (isAll && names.length > 0) {
    throw new UsageError(
      'a name is of one namespace: give -n NAMESPACE instead of --all-namespaces',
    );
  }
  if (isAll && input.namespace !== undefined) {
    throw new UsageError('give --namespace or --all-namespaces, not both');
  }
  const { selector } = input;
  return {
    kind,
    names,
    namespace: kindTable(kind).namespaced && !isAll ? (input.namespace ?? 'default') : undefined,
    matchesLabels: selector === undefined ? () => true : labelSelector(selector),
  };
}

/** Read only for the one table that shows it. */
async function clusterValues(
  client: ResourceClient,
  kind: Kind,
  format: OutputFormat,
): Promise<ClusterValues> {
  const { asNumber } = BGP_CONFIGURATION_DEFAULTS;
  const isShown =
    kind === 'Node' &&
    format.type === 'table' &&
    format.columns.some(({ title }) => title === 'ASN');
  const configuration = isShown
    ? await client.get('BGPConfiguration', { name: 'default' })
    : undefined;
  return { asNumber: String(configuration?.spec.asNumber ?? asNumber) };
}
