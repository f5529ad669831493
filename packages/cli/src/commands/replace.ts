import { command } from '../command.ts';
import { WRITE_OPTIONS, writeManifests } from '../resources/write-command.ts';

/** `replace -f FILE|DIR|-` - puts manifests in the place of resources that exist. */
export const replace = command({
  name: 'replace',
  summary: 'Replace resources that exist by manifests',
  description:
    'What a manifest does not say is gone afterwards, but for the status. A resource that does not exist is an error (exit code 3). A manifest with a metadata.resourceVersion replaces that state of the resource only (exit code 4 if it has changed since).',
  options: WRITE_OPTIONS,
  examples: [
    ['overland replace -f pools.yaml', 'the resources of a file'],
    [
      'overland get ippool rack1 -o yaml | sed s/old/new/ | overland replace -f -',
      'unless somebody else was faster',
    ],
  ],
  handle: (context, input) =>
    writeManifests(
      context,
      input,
      { verb: 'replace', done: 'replaced' },
      async (client, { resource }) => {
        const { outcome } = await client.replace(resource, resource.metadata.resourceVersion);
        return { outcome };
      },
    ),
});
