import { isKind } from '@overland/model';
import { command, UsageError } from '../command.ts';
import { deleteObject } from '../resources/delete-object.ts';
import { checkWritable, kindArgument } from '../resources/kind-argument.ts';
import { namedObject } from '../resources/named-object.ts';
import { readWorkItems, type WorkItem } from '../resources/work-items.ts';
import { WRITE_OPTIONS, workOnItems } from '../resources/write-command.ts';

const VERB = { verb: 'delete', done: 'deleted' } as const;

/** `delete -f FILE|DIR|-` or `delete KIND NAME…` - removes resources, and what must go with them. */
export const deleteResources = command({
  name: 'delete',
  summary: 'Delete resources, by manifest or by name',
  description:
    'Of a manifest only kind, name, namespace and resourceVersion count; the last document goes first, so that what others need goes last. With a Node go its workload endpoints and their addresses, its address blocks, and the peers, configurations and host endpoints that name it; with an IPPool the claims on its blocks. What went along is said. Deleting again finishes what was interrupted.',
  arguments: {
    kind: { summary: 'kind, plural or alias', optional: true },
    names: { summary: 'names', optional: true, variadic: true },
  },
  options: {
    ...WRITE_OPTIONS,
    skipNotExists: {
      type: 'boolean',
      short: 's',
      summary: 'a resource that does not exist is no error',
    },
  },
  examples: [
    ['overland delete ippool rack1 rack2', 'two pools by name'],
    ['overland delete -f fabric.yaml --skip-not-exists', 'everything in a file'],
  ],
  async handle(context, { kind, names, skipNotExists, ...input }) {
    const items =
      kind === undefined
        ? (await readWorkItems(input, context, input.namespace)).map(byName)
        : itemsNamed(kind, names, input);
    const work = { ...input, ...VERB, items, isBackward: true };
    return workOnItems(context, work, async (open, { kind: found, name, content, subject }) => {
      if (found === undefined || !name) throw new UsageError(`${subject} has no name`);
      const object = kindArgument(found);
      checkWritable(object, VERB.verb);
      const version =
        content.type === 'manifest' ? content.resource.metadata.resourceVersion : undefined;
      try {
        return await deleteObject(open, object, name, version);
      } catch (error) {
        const isGone = error instanceof Error && error.name === 'ResourceNotFoundError';
        if (isGone && skipNotExists) return { outcome: 'skipped' };
        throw error;
      }
    });
  },
});

/** A manifest that breaks a rule names an object all the same. */
function byName(item: WorkItem): WorkItem {
  const { content, kind, name } = item;
  const isUsable =
    content.type === 'invalid' && kind !== undefined && isKind(kind) && name !== undefined;
  if (!isUsable) return item;
  const object = namedObject(kind, name.name, name.namespace);
  return { ...item, ...object, content: { type: 'named' } };
}

function itemsNamed(
  kind: string,
  names: readonly string[],
  { filename, namespace }: { filename: readonly string[]; namespace: string | undefined },
): WorkItem[] {
  if (filename.length > 0) throw new UsageError('give KIND NAME… or -f FILE, not both');
  const found = kindArgument(kind);
  if (names.length === 0) {
    throw new UsageError(`name what to delete: overland delete ${kind} NAME…, or -f FILE`);
  }
  return [...new Set(names)].map((name) => ({
    ...namedObject(found, name, namespace),
    content: { type: 'named' },
  }));
}
