import { command } from '../command.ts';
import { WRITE_OPTIONS, writeManifests } from '../resources/write-command.ts';

/** `create -f FILE|DIR|-` - makes resources that do not exist yet. */
export const create = command({
  name: 'create',
  summary: 'Create resources from manifests',
  description:
    'Takes YAML or JSON, several documents and lists. A resource that exists already is an error (exit code 4) unless --skip-exists is given. Goes on after a failure and says which document failed; each resource is written whole or not at all.',
  options: {
    ...WRITE_OPTIONS,
    skipExists: { type: 'boolean', summary: 'leave resources that exist as they are' },
  },
  examples: [
    ['overland create -f pools.yaml', 'the resources of a file'],
    ['overland create -R -f manifests/ --skip-exists', 'a directory, what is missing of it'],
  ],
  handle: (context, { skipExists, ...input }) =>
    writeManifests(
      context,
      input,
      { verb: 'create', done: 'created' },
      async (client, { resource }) => {
        try {
          await client.create(resource);
          return { outcome: 'created' };
        } catch (error) {
          const exists = error instanceof Error && error.name === 'ResourceExistsError';
          if (exists && skipExists) return { outcome: 'skipped' };
          throw error;
        }
      },
    ),
});
