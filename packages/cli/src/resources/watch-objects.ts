import type { ResourceChange } from '@overland/datastore';
import {
  type AnyResource,
  type Kind,
  printYaml,
  type ResourceName,
  stringifyJson,
} from '@overland/model';
import { type CommandContext, UsageError } from '../command.ts';
import type { OpenClient } from '../datastore/open-client.ts';
import { type Column, TableWriter } from '../table.ts';
import { writeOut } from '../write-out.ts';
import type { ClusterValues } from './output/kind-columns.ts';
import type { OutputFormat } from './output/output-format.ts';
import { nameOf } from './output/printer.ts';
import { runTemplate } from './output/template/run-template.ts';
import { type Selection, unreadable } from './read-objects.ts';

/** What happened to an object, in the words of Kubernetes. */
interface ObjectEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly resource: AnyResource;
}

/** Prints what exists and then every change, until the signal aborts. */
export async function watchObjects(
  context: Pick<CommandContext, 'stdout' | 'stderr' | 'signal' | 'colours'>,
  { client }: OpenClient,
  {
    selection,
    format,
    cluster,
  }: {
    readonly selection: Selection;
    readonly format: OutputFormat;
    readonly cluster: ClusterValues;
  },
): Promise<void> {
  const { kind } = selection;
  // A watch waits for a datastore that does not answer; whoever has just named it should hear of it.
  for await (const _page of client.pages(kind, selection.namespace)) break;
  const print = eventPrinter(format, cluster, context.colours);
  const track = createTracker(selection);
  const changes: AsyncIterable<ResourceChange<Kind>> = client.watch(kind, context.signal);
  for await (const change of changes) {
    if (change.type === 'synced') continue;
    if (change.type === 'invalid') {
      if (!isNamed(selection, change.name)) continue;
      const { message } = unreadable(kind, change.name, change.error);
      for (const line of message.split('\n')) context.stderr.write(`overland: ${line}\n`);
      continue;
    }
    const after = change.type === 'put' ? (change.resource as AnyResource) : undefined;
    const event = track(change.name, after);
    if (event) await writeOut(context.stdout, print(event));
  }
}

/** What a change is, to somebody who sees only the objects of the selection. */
function createTracker(
  selection: Selection,
): (name: ResourceName, after: AnyResource | undefined) => ObjectEvent | undefined {
  const known = new Map<string, AnyResource>();
  return (name, after) => {
    if (!isNamed(selection, name)) return undefined;
    const key = `${name.namespace ?? ''}/${name.name}`;
    const before = known.get(key);
    const isSelected = after && selection.matchesLabels(after.metadata.labels ?? {});
    if (isSelected) {
      known.set(key, after);
      // A watch that had to list again repeats what has not changed.
      if (before?.metadata.resourceVersion === after.metadata.resourceVersion) return undefined;
      return { type: before ? 'MODIFIED' : 'ADDED', resource: after };
    }
    known.delete(key);
    return before && { type: 'DELETED', resource: before };
  };
}

function isNamed({ names, namespace }: Selection, name: ResourceName): boolean {
  const isIn =
    name.namespace === undefined || namespace === undefined || name.namespace === namespace;
  return isIn && (names.length === 0 || names.includes(name.name));
}

function eventPrinter(
  format: OutputFormat,
  cluster: ClusterValues,
  colours: CommandContext['colours'],
): (event: ObjectEvent) => string {
  switch (format.type) {
    case 'table': {
      const columns: Column<ObjectEvent>[] = [{ title: 'EVENT', cell: ({ type }) => type }];
      for (const { title, cell } of format.columns) {
        columns.push({ title, cell: ({ resource }) => cell(resource, cluster) });
      }
      const table = new TableWriter(columns, colours.bold);
      return (event) => table.lines([event]);
    }
    case 'name':
      return ({ type, resource }) => `${type} ${nameOf(resource)}\n`;
    case 'json':
      return ({ type, resource }) => `${stringifyJson({ type, object: resource })}\n`;
    case 'yaml':
      return ({ type, resource }) => `---\n${printYaml({ type, object: resource })}`;
    case 'template':
      return ({ resource }) => runTemplate(format.template, [resource]);
    default:
      throw new UsageError('this format cannot be watched');
  }
}
