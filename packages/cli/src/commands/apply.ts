import { command } from '../command.ts';
import { PRUNE_OPTIONS, pruneOf } from '../resources/prune.ts';
import { WRITE_OPTIONS, writeManifests } from '../resources/write-command.ts';

/** `apply -f FILE|DIR|-` - creates resources, or brings those that exist to what the manifests say. */
export const apply = command({
  name: 'apply',
  summary: 'Create resources, or bring those that exist to what manifests say',
  description:
    'Fields that the manifest applied before stated, and this one does not, are taken back; what others have set stays. A manifest with a metadata.resourceVersion is applied to that state of the resource only (exit code 4 if it has changed since). Goes on after a failure and says which document failed; each resource is written whole or not at all. With --prune, resources that an earlier apply has made or changed, that have the labels of -l and that the input does not have any more are deleted; never pools and nodes, which containers hang on, and nothing at all if anything has failed.',
  options: { ...WRITE_OPTIONS, ...PRUNE_OPTIONS },
  examples: [
    ['overland apply -f fabric.yaml', 'the resources of a file'],
    ['overland apply -R -f manifests/ --dry-run', 'what a directory would change'],
    ['overland apply -R -f manifests/ --prune -l app=shop', 'and delete what it has no more'],
  ],
  handle: (context, { prune, selector, ...input }) =>
    writeManifests(
      context,
      { ...input, prune: pruneOf({ prune, selector }) },
      { verb: 'apply', done: 'applied' },
      async (client, { resource, written }) => {
        const expected = resource.metadata.resourceVersion;
        const { outcome } = await client.apply(resource, written, { expected, isParsed: true });
        return { outcome };
      },
    ),
});
