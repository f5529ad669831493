import { ResourceConflictError } from '@overland/datastore';
import {
  type AnyResource,
  describeFault,
  type Fault,
  parseManifest,
  stringifyJson,
  subjectOf,
  ValidationError,
} from '@overland/model';
import { command, OUTPUT_OPTION, UsageError } from '../command.ts';
import { CONNECTION_OPTIONS } from '../datastore/connection-options.ts';
import { checkWritable, kindArgument } from '../resources/kind-argument.ts';
import { modifyObject } from '../resources/modify-object.ts';
import { namedObject } from '../resources/named-object.ts';
import { jsonPatch } from '../resources/patch/json-patch.ts';
import { mergePatch } from '../resources/patch/merge-patch.ts';
import { strategicPatch } from '../resources/patch/strategic-patch.ts';
import { DRY_RUN_OPTION, NAMESPACE_OPTION } from '../resources/write-command.ts';

const TYPES = { strategic: strategicPatch, merge: mergePatch, json: jsonPatch } as const;

/** `patch KIND NAME -p PATCH [-t strategic|merge|json]` - changes a part of a resource. */
export const patch = command({
  name: 'patch',
  summary: 'Change a part of a resource',
  description:
    'The patch is JSON or YAML. strategic: objects are merged, null removes, lists are taken whole. merge: RFC 7386. json: a list of operations, RFC 6902. The outcome must be a valid manifest: a field that does not exist is an error.',
  arguments: { kind: { summary: 'kind, plural or alias' }, name: { summary: 'name' } },
  options: {
    patch: { type: 'string', short: 'p', value: 'patch', summary: 'the patch' },
    type: {
      type: 'string',
      short: 't',
      value: 'type',
      summary: 'how the patch is meant',
      choices: ['strategic', 'merge', 'json'],
      default: 'strategic',
    },
    namespace: NAMESPACE_OPTION,
    dryRun: DRY_RUN_OPTION,
    output: OUTPUT_OPTION,
    ...CONNECTION_OPTIONS,
  },
  examples: [
    [`overland patch ippool rack1 -p '{"spec": {"disabled": true}}'`, 'set one field'],
    [
      `overland patch bgppeer leaf11 -t json -p '[{"op": "remove", "path": "/spec/filters/0"}]'`,
      'remove an item of a list',
    ],
  ],
  async handle(context, { kind, name, patch: text, type, ...input }) {
    if (text === undefined) throw new UsageError('give the patch with -p');
    const given = await parsePatch(text);
    const object = namedObject(kindArgument(kind), name, input.namespace);
    checkWritable(object.kind, 'patch');
    const { outcome, resource } = await modifyObject(context, input, object, (before) =>
      patched(before, TYPES[type](before, given)),
    );
    if (input.output === 'json') context.stdout.write(`${stringifyJson(resource)}\n`);
    else {
      const dry = input.dryRun ? 'Dry run: nothing was written. ' : '';
      const same = outcome === 'unchanged' ? ' (no change)' : '';
      context.stdout.write(`${dry}Successfully patched 1 '${object.kind}' resource${same}\n`);
    }
    return 0;
  },
});

/** The outcome of a patch as a resource. What was wrong before, such as fields of a newer version, may stay so. */
function patched(before: AnyResource, value: unknown): AnyResource {
  const { name, namespace, resourceVersion: actual = '' } = before.metadata;
  const after = value as AnyResource;
  const metadata: Partial<AnyResource['metadata']> = after?.metadata ?? {};
  const isSame =
    after?.kind === before.kind && metadata.name === name && metadata.namespace === namespace;
  if (!isSame) throw new UsageError('a patch cannot change kind, name or namespace');
  const { resourceVersion: expected } = metadata;
  if (expected !== undefined && expected !== actual) {
    throw new ResourceConflictError(before.kind, before.metadata, { expected, actual });
  }
  const old = new Set(faultsOf(before).map(describeFault));
  const faults = faultsOf(after).filter((fault) => !old.has(describeFault(fault)));
  if (faults.length > 0) throw new ValidationError(subjectOf(before), faults);
  return after;
}

function faultsOf(manifest: unknown): readonly Fault[] {
  try {
    parseManifest(manifest);
    return [];
  } catch (error) {
    if (error instanceof ValidationError) return error.faults;
    throw error;
  }
}

/** One document of YAML; JSON is YAML. */
async function parsePatch(text: string): Promise<unknown> {
  const { parseYaml } = await import('@overland/model/yaml');
  const [document, second] = parseYaml(text);
  if (document && 'error' in document) throw new UsageError(`-p: ${document.error.message}`);
  if (!document || second) throw new UsageError('-p: expected one document of JSON or YAML');
  return document.value;
}
