import type { ResourceClient } from '@overland/datastore';
import type { AnyResource } from '@overland/model';
import { type CommandContext, type OptionSpec, OUTPUT_OPTION } from '../command.ts';
import { CONNECTION_OPTIONS } from '../datastore/connection-options.ts';
import { type OpenClient, openClient } from '../datastore/open-client.ts';
import { EXIT } from '../exit-codes.ts';
import { MANIFEST_OPTIONS } from '../manifests/manifest-options.ts';
import { itemProgress } from './item-progress.ts';
import { checkWritable } from './kind-argument.ts';
import type { Prune } from './prune.ts';
import { type Report, reportItems, type Verb } from './report-items.ts';
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

/**
 * Reads the manifests of `-f`, does `write` for each, and reports. What every cluster has is made first, if it is missing.
 *
 * @param prune What to delete afterwards, if anything.
 * @returns The exit code.
 */
export async function writeManifests(
  context: CommandContext,
  { prune, ...input }: WriteInput & { readonly prune?: Prune | undefined },
  verb: Verb,
  write: WriteManifest,
): Promise<number> {
  const items = await readWorkItems(input, context, input.namespace);
  let prepared: Promise<void> | undefined;
  return workOnItems(context, { ...input, ...verb, items, prune }, async (open, item) => {
    const { content } = item;
    if (content.type !== 'manifest') throw new RangeError(`${item.subject} has no manifest`);
    checkWritable(content.resource.kind, verb.verb);
    prepared ??= prepareCluster(open);
    await prepared;
    return await write(open.client, content);
  });
}

async function prepareCluster({ datastore }: OpenClient): Promise<void> {
  const { initialiseCluster } = await import('@overland/datastore');
  await initialiseCluster(datastore);
}

interface ItemWork extends Verb, Pick<WriteInput, 'config' | 'dryRun' | 'output'> {
  readonly items: readonly WorkItem[];
  /** The last first. */
  readonly isBackward?: boolean;
  /** What to delete when all items have been dealt with, if none has failed. */
  readonly prune?: Prune | undefined;
}

/** Does `work` for each item in the datastore, shows progress and reports. @returns The exit code. */
export async function workOnItems(
  context: CommandContext,
  { items, config, dryRun, output, isBackward = false, prune, ...verb }: ItemWork,
  work: (open: OpenClient, item: WorkItem) => Promise<Done>,
): Promise<number> {
  const report = { ...verb, output, isDryRun: dryRun };
  // Nothing to do, or nothing that can be done, needs no datastore.
  if (items.every(({ content }) => content.type === 'invalid')) {
    return reportItems(context, items.flatMap(failureOf), report);
  }
  await using open = await openClient(context, { config, mayCreate: !dryRun, dryRun });
  using progress = itemProgress(context, { total: items.length, done: verb.done });
  const { signal } = context;
  const { onResult } = progress;
  const inOrder = isBackward ? items.toReversed() : items;
  const results = await runItems(inOrder, (item) => work(open, item), { signal, onResult });
  progress[Symbol.dispose]();
  const done = isBackward ? results.toReversed() : results;
  if (!prune) return reportItems(context, done, report);
  return await pruneAfter(context, open, { prune, items, done, report });
}

/** Deletes what is not in the input any more, and reports both. */
async function pruneAfter(
  context: CommandContext,
  open: OpenClient,
  {
    prune,
    items,
    done,
    report,
  }: {
    readonly prune: Prune;
    readonly items: readonly WorkItem[];
    readonly done: readonly ItemResult[];
    readonly report: Report;
  },
): Promise<number> {
  const { stderr, signal } = context;
  const { labelWarnings, pruneCandidates, pruneObjects } = await import('./prune.ts');
  for (const line of labelWarnings(prune, items)) stderr.write(`overland: ${line}\n`);
  if (done.some(({ outcome }) => outcome === 'failed')) {
    const code = reportItems(context, done, report);
    stderr.write('overland: nothing was pruned, because not everything was applied\n');
    return code;
  }
  const candidates = await pruneCandidates(open, prune, items);
  const pruned = await pruneObjects(open, candidates, signal);
  if (report.output === 'json') return reportItems(context, [...done, ...pruned], report);
  reportItems(context, done, report);
  return pruned.length === 0
    ? EXIT.success
    : reportItems(context, pruned, { ...report, verb: 'prune', done: 'pruned' });
}

function failureOf(item: WorkItem): ItemResult[] {
  const { content } = item;
  return content.type === 'invalid' ? [{ item, outcome: 'failed', error: content.error }] : [];
}
