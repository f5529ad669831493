import { type AnyResource, stringifyJson, subjectOf } from '@overland/model';
import type { Colours } from '../colours.ts';
import { type CommandContext, command, OUTPUT_OPTION, UsageError } from '../command.ts';
import { CONNECTION_OPTIONS } from '../datastore/connection-options.ts';
import { type OpenClient, openClient } from '../datastore/open-client.ts';
import { comparedForm, diffLines, type ResourceDiff } from '../diff/resource-diff.ts';
import { EXIT, exitCodeOf, exitCodeOfAll } from '../exit-codes.ts';
import { MANIFEST_OPTIONS } from '../manifests/manifest-options.ts';
import { checkWritable } from '../resources/kind-argument.ts';
import {
  labelWarnings,
  PRUNE_OPTIONS,
  type Prune,
  pruneCandidates,
  pruneOf,
} from '../resources/prune.ts';
import { failureLines } from '../resources/report-items.ts';
import { type ItemResult, runItems } from '../resources/run-items.ts';
import { readWorkItems, type WorkItem } from '../resources/work-items.ts';
import { NAMESPACE_OPTION } from '../resources/write-command.ts';
import { writeOut } from '../write-out.ts';

/** As diff(1) and `kubectl diff` have it. */
const DIFFERS = 1;

/** `diff -f FILE|DIR|- [--prune -l key=value]` - what `apply` would change; exit code 1 if anything. */
export const diff = command({
  name: 'diff',
  summary: 'Show what apply would change',
  description:
    'A unified diff of each resource, from what is stored to what it would be; what others have set and apply would keep is no difference. Exit code 0 if nothing would change, 1 if anything would, 2 and above if something is wrong (where other commands exit with 1, this one exits with 2). Secrets are never shown, only that they would change.',
  options: {
    ...MANIFEST_OPTIONS,
    namespace: NAMESPACE_OPTION,
    ...PRUNE_OPTIONS,
    output: OUTPUT_OPTION,
    ...CONNECTION_OPTIONS,
  },
  examples: [
    ['overland diff -R -f manifests/', 'before applying a directory'],
    ['overland diff -f shop.yaml --prune -l app=shop', 'with what --prune would delete'],
  ],
  async handle(context, { prune, selector, output, config, ...input }) {
    const wanted = pruneOf({ prune, selector });
    const items = await readWorkItems(input, context, input.namespace);
    try {
      await using open = await openClient(context, { config, dryRun: true });
      const { diffs, failures } = await compare(context, open, { items, prune: wanted });
      if (output === 'json') await writeOut(context.stdout, jsonText(diffs, failures));
      else await printDiffs(context, diffs);
      for (const line of failures.flatMap(failureLines))
        context.stderr.write(`overland: ${line}\n`);
      if (failures.length > 0) return aboveOne(exitCodeOfAll(failures.map(({ error }) => error)));
      return diffs.some(({ outcome }) => outcome !== 'unchanged') ? DIFFERS : EXIT.success;
    } catch (error) {
      if (exitCodeOf(error) !== EXIT.failure || !(error instanceof Error)) throw error;
      throw new UsageError(error.message, { cause: error });
    }
  },
});

type Failure = ItemResult & { readonly outcome: 'failed' };

/** Applies everything to a datastore on which nothing is written, so that each sees what those before it would have done. */
async function compare(
  context: CommandContext,
  open: OpenClient,
  { items, prune }: { readonly items: readonly WorkItem[]; readonly prune: Prune | undefined },
): Promise<{ readonly diffs: readonly ResourceDiff[]; readonly failures: readonly Failure[] }> {
  const { signal, stderr } = context;
  const { initialiseCluster } = await import('@overland/datastore');
  await initialiseCluster(open.datastore);
  const found = new Map<WorkItem, ResourceDiff>();
  const work = async (item: WorkItem) => {
    const { content, subject, place } = item;
    if (content.type !== 'manifest') throw new RangeError(`${subject} has no manifest`);
    const { resource, written } = content;
    checkWritable(resource.kind, 'apply');
    const planned = await open.client.planApply(resource, written);
    const expected = resource.metadata.resourceVersion;
    await open.client.apply(resource, written, { expected });
    const { outcome, before, resource: after } = planned;
    found.set(item, { subject, place, outcome, before, after });
    return { outcome };
  };
  const results = await runItems(items, work, { signal, onResult: () => undefined });
  const failures = results.filter((result): result is Failure => result.outcome === 'failed');
  const diffs = items.flatMap((item) => found.get(item) ?? []);
  if (!prune) return { diffs, failures };
  for (const line of labelWarnings(prune, items)) stderr.write(`overland: ${line}\n`);
  if (failures.length > 0) {
    stderr.write('overland: apply would prune nothing, because not everything could be applied\n');
    return { diffs, failures };
  }
  const gone = await pruneCandidates(open, prune, items);
  return { diffs: [...diffs, ...gone.map(deletion)], failures };
}

function deletion(before: AnyResource): ResourceDiff {
  return { subject: subjectOf(before), outcome: 'deleted', before };
}

async function printDiffs(
  { stdout, colours }: CommandContext,
  diffs: readonly ResourceDiff[],
): Promise<void> {
  for (const each of diffs) {
    const lines = diffLines(each).map((line) => `${paint(line, colours)}\n`);
    await writeOut(stdout, lines.join(''));
  }
  const count = (wanted: ResourceDiff['outcome']): number =>
    diffs.filter(({ outcome }) => outcome === wanted).length;
  const parts = [
    `${count('created')} to create`,
    `${count('updated')} to change`,
    ...(count('deleted') > 0 ? [`${count('deleted')} to delete`] : []),
    `${count('unchanged')} unchanged`,
  ];
  await writeOut(stdout, `${parts.join(', ')}\n`);
}

function paint(line: string, colours: Colours): string {
  if (line.startsWith('---') || line.startsWith('+++')) return colours.bold(line);
  if (line.startsWith('@@')) return colours.cyan(line);
  if (line.startsWith('-')) return colours.red(line);
  return line.startsWith('+') ? colours.green(line) : line;
}

function jsonText(diffs: readonly ResourceDiff[], failures: readonly Failure[]): string {
  const texts = [
    ...diffs.map((each) => {
      const { place, outcome, before, after } = each;
      const { kind, metadata } = (after ?? before) as AnyResource;
      const { name, namespace } = metadata;
      return stringifyJson({
        place,
        kind,
        namespace,
        name,
        outcome,
        before: before ? comparedForm(before) : null,
        after: after ? comparedForm(after) : null,
        diff: diffLines(each).join('\n'),
      });
    }),
    ...failures.map(({ item: { place, kind, name }, error }) =>
      stringifyJson({
        place,
        kind: kind ?? null,
        namespace: name?.namespace,
        name: name?.name ?? null,
        outcome: 'failed',
        error: { code: exitCodeOf(error), message: error instanceof Error ? error.message : '' },
      }),
    ),
  ];
  return `[${texts.join(',\n')}]\n`;
}

function aboveOne(code: number): number {
  return code === EXIT.failure ? EXIT.badInput : code;
}
