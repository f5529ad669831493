import type { ResourceClient } from '@overland/datastore';
import type { AnyResource } from '@overland/model';
import { type CommandContext, type OptionSpec, OUTPUT_OPTION } from '../command.ts';
import { CONNECTION_OPTIONS } from '../datastore/connection-options.ts';
import { type OpenClient, openClient } from '../datastore/open-client.ts';
import { MANIFEST_OPTIONS } from '../manifests/manifest-options.ts';
import { itemProgress } from './item-progress.ts';
import { checkWritable } from './kind-argument.ts';
import { reportItems, type Verb } from './report-items.ts';
import { type Done, type ItemResult, runItems } from './run-items.ts';
import { readWorkItems, type WorkItem } from './work-items.ts';

/** `-n`, for objects that do not say theirs. */
export const NAMESPACE_OPTION = {
  type: 'string',
  short: 'n',
  value: 'namespace',
  summary: "namespace of namespaced resources that do not say theirs; 'default' if not given",
} as const satisfies OptionSpec;

export const DRY_RUN_OPTION = {
  type: 'boolean',
  summary: 'say what would be done, checked against the datastore, and write nothing',
} as const satisfies OptionSpec;

/** What every command that writes manifests takes. */
export const WRITE_OPTIONS = {
  ...MANIFEST_OPTIONS,
  namespace: NAMESPACE_OPTION,
  dryRun: DRY_RUN_OPTION,
  output: OUTPUT_OPTION,
  ...CONNECTION_OPTIONS,
} as const satisfies Readonly<Record<string, OptionSpec>>;

/** Values of {@link WRITE_OPTIONS}. */
interface WriteInput {
  readonly filename: readonly string[];
  readonly recursive: boolean;
  readonly skipEmpty: boolean;
  readonly namespace: string | undefined;
  readonly dryRun: boolean;
  readonly output: 'table' | 'json';
  readonly config: string | undefined;
}

/** What is done with one manifest. */
export type WriteManifest = (
  client: ResourceClient,
  manifest: { readonly resource: AnyResource; readonly written: unknown },
) => Promise<Done>;

/** Reads the manifests of `-f`, does `write` for each, and reports. @returns The exit code. */
export async function writeManifests(
  context: CommandContext,
  input: WriteInput,
  verb: Verb,
  write: WriteManifest,
): Promise<number> {
  const items = await readWorkItems(input, context, input.namespace);
  return workOnItems(context, { ...input, ...verb, items }, ({ client }, item) => {
    const { content } = item;
    if (content.type !== 'manifest') throw new RangeError(`${item.subject} has no manifest`);
    checkWritable(content.resource.kind, verb.verb);
    return write(client, content);
  });
}

interface ItemWork extends Verb, Pick<WriteInput, 'config' | 'dryRun' | 'output'> {
  readonly items: readonly WorkItem[];
  /** The last first. */
  readonly isBackward?: boolean;
}

/** Does `work` for each item in the datastore, shows progress and reports. @returns The exit code. */
export async function workOnItems(
  context: CommandContext,
  { items, config, dryRun, output, isBackward = false, ...verb }: ItemWork,
  work: (open: OpenClient, item: WorkItem) => Promise<Done>,
): Promise<number> {
  const report = { ...verb, output, isDryRun: dryRun };
  // Nothing to do, or nothing that can be done, needs no datastore.
  const invalid = items.flatMap((item): ItemResult[] =>
    item.content.type === 'invalid' ? [{ item, outcome: 'failed', error: item.content.error }] : [],
  );
  if (invalid.length === items.length) return reportItems(context, invalid, report);
  await using open = await openClient(context, { config, mayCreate: !dryRun, dryRun });
  using progress = itemProgress(context, items.length, verb.done);
  const { signal } = context;
  const { onResult } = progress;
  const inOrder = isBackward ? items.toReversed() : items;
  const results = await runItems(inOrder, (item) => work(open, item), { signal, onResult });
  progress[Symbol.dispose]();
  return reportItems(context, isBackward ? results.toReversed() : results, report);
}
