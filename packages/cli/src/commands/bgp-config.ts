import { printYaml, stringifyJson } from '@overland/model';
import { configText } from '../bgp/config-text.ts';
import { inputsFromDatastore, inputsFromManifests } from '../bgp/fabric-inputs.ts';
import { withoutSecrets } from '../bgp/without-secrets.ts';
import { command, FailureError, UsageError } from '../command.ts';
import { CONNECTION_OPTIONS } from '../datastore/connection-options.ts';
import { MANIFEST_OPTIONS } from '../manifests/manifest-options.ts';

/** `bgp config --node N [-f FILE|DIR|-] [-o json|yaml]` - what a node's speaker is told. */
export const bgpConfig = command({
  name: 'bgp config',
  summary: "Show the configuration of a node's speaker, as resources make it",
  description:
    'Works for any node, from manifests (-f) without a datastore, or from the datastore. Says which resources have no effect on it, and why. In manifests, BlockAffinity objects say which blocks a node has. Passwords are not shown. Exit code 1 if there is no such Node, 2 if a manifest is not valid.',
  options: {
    node: { type: 'string', value: 'name', summary: 'name of the Node' },
    ...MANIFEST_OPTIONS,
    output: {
      type: 'string',
      short: 'o',
      value: 'format',
      summary: 'how to print',
      choices: ['table', 'json', 'yaml'],
      default: 'table',
    },
    ...CONNECTION_OPTIONS,
  },
  examples: [
    ['overland bgp config --node host11', 'from the datastore'],
    ['overland bgp config --node host11 -R -f manifests/ -o yaml', 'before anything is applied'],
  ],
  async handle(context, { node, output, config: connection, ...input }) {
    if (node === undefined) throw new UsageError('bgp config needs a node: --node NAME');
    const isOffline = input.filename.length > 0;
    if (isOffline && connection !== undefined) {
      throw new UsageError('-f reads manifests, --config a datastore: one at a time');
    }
    const { speakerConfigOf } = await import('@overland/fabric');
    const read = isOffline
      ? await inputsFromManifests(node, input, context)
      : await inputsFromDatastore(node, connection, context);
    const derived = speakerConfigOf(read.inputs);
    const diagnostics = [...read.problems, ...derived.diagnostics];
    if (!derived.config) {
      const reasons = diagnostics.map(({ resource, reason }) => `${resource}: ${reason}`);
      throw new FailureError(reasons.join('\n'));
    }
    const config = withoutSecrets(derived.config);
    const { stdout, colours } = context;
    if (output === 'table') stdout.write(configText(config, diagnostics, colours));
    else if (output === 'yaml') stdout.write(printYaml({ node, config, diagnostics }));
    else stdout.write(`${stringifyJson({ node, config, diagnostics })}\n`);
    return 0;
  },
});
