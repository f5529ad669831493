import { command, OUTPUT_OPTION, UsageError } from '../command.ts';
import { CONNECTION_OPTIONS } from '../datastore/connection-options.ts';
import { checkWritable, kindArgument } from '../resources/kind-argument.ts';
import { changeLabels, parseLabelChanges } from '../resources/label-change.ts';
import { modifyObject } from '../resources/modify-object.ts';
import { namedObject } from '../resources/named-object.ts';
import { DRY_RUN_OPTION, NAMESPACE_OPTION } from '../resources/write-command.ts';

/** `label KIND NAME key=value… [--overwrite]`, `label KIND NAME key… --remove`. */
export const label = command({
  name: 'label',
  summary: 'Set or remove labels of a resource',
  description:
    'A label that has another value already is changed only with --overwrite. One that is to be removed must be there.',
  arguments: {
    kind: { summary: 'kind, plural or alias' },
    name: { summary: 'name' },
    labels: { summary: 'key=value; with --remove: key', variadic: true },
  },
  options: {
    overwrite: { type: 'boolean', summary: 'change labels that have another value' },
    remove: { type: 'boolean', summary: 'remove the labels with these keys' },
    namespace: NAMESPACE_OPTION,
    dryRun: DRY_RUN_OPTION,
    output: OUTPUT_OPTION,
    ...CONNECTION_OPTIONS,
  },
  examples: [
    ['overland label node host11 rack=r1 --overwrite', 'set, whatever it was'],
    ['overland label node host11 rack --remove', 'remove'],
  ],
  async handle(context, { kind, name, labels, overwrite, remove, ...input }) {
    if (overwrite && remove) throw new UsageError('give --overwrite or --remove, not both');
    const changes = parseLabelChanges(labels, remove);
    const object = namedObject(kindArgument(kind), name, input.namespace);
    checkWritable(object.kind, 'label');
    const { outcome, resource } = await modifyObject(context, input, object, (before) => ({
      ...before,
      metadata: {
        ...before.metadata,
        labels: changeLabels(object.subject, before.metadata.labels ?? {}, { changes, overwrite }),
      },
    }));
    if (input.output === 'json') {
      context.stdout.write(
        `${JSON.stringify({ outcome, labels: resource.metadata.labels ?? {} })}\n`,
      );
      return 0;
    }
    const dry = input.dryRun ? 'Dry run: nothing was written. ' : '';
    for (const { key, value } of changes) {
      const text = value === undefined ? `removed label ${key} from` : `set label ${key} on`;
      context.stdout.write(`${dry}Successfully ${text} ${kind} ${name}\n`);
    }
    return 0;
  },
});
