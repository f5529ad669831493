import { command } from '../command.ts';
import { WRITE_OPTIONS, writeManifests } from '../resources/write-command.ts';

/** `apply -f FILE|DIR|-` - creates resources, or brings those that exist to what the manifests say. */
export const apply = command({
  name: 'apply',
  summary: 'Create resources, or bring those that exist to what manifests say',
  description:
    'Fields that the manifest applied before stated, and this one does not, are taken back; what others have set stays. A manifest with a metadata.resourceVersion is applied to that state of the resource only (exit code 4 if it has changed since). Goes on after a failure and says which document failed; each resource is written whole or not at all.',
  options: WRITE_OPTIONS,
  examples: [
    ['overland apply -f fabric.yaml', 'the resources of a file'],
    ['overland apply -R -f manifests/ --dry-run', 'what a directory would change'],
  ],
  handle: (context, input) =>
    writeManifests(
      context,
      input,
      { verb: 'apply', done: 'applied' },
      async (client, { resource, written }) => {
        const expected = resource.metadata.resourceVersion;
        const { outcome } = await client.apply(resource, written, expected);
        return { outcome };
      },
    ),
});
