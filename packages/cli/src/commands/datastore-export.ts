import { resolve } from 'node:path';
import { command, OUTPUT_OPTION } from '../command.ts';
import { CONNECTION_OPTIONS } from '../datastore/connection-options.ts';
import { openClient } from '../datastore/open-client.ts';
import { printCounts, printLeftOut } from '../transfer/print-transfer.ts';
import { transferProgress } from '../transfer/transfer-progress.ts';

/** `datastore export DIRECTORY` - the whole cluster as manifests and key-value lines. */
export const datastoreExport = command({
  name: 'datastore export',
  summary: 'Write everything the datastore has of the cluster into a directory',
  description:
    'The state of one moment: each object as a manifest in resources/, everything else (IPAM among it) as lines of keys and values in raw/, index.json with counts and the revision, and SHA256SUMS. The directory must be new or empty; it holds secrets, and only its owner can read it. An export that was interrupted is begun anew.',
  arguments: { directory: { summary: 'where to; is made' } },
  options: {
    ...CONNECTION_OPTIONS,
    dryRun: { type: 'boolean', summary: 'only count what would be exported' },
    output: OUTPUT_OPTION,
  },
  examples: [
    ['overland datastore export /var/backups/overland', 'a backup, of one moment'],
    ['overland datastore export --dry-run -o json x', 'how much is it?'],
  ],
  async handle(context, { directory, config, dryRun, output }) {
    const { stdout, stderr } = context;
    const { countKeys, exportDirectory, readDatastore } = await import('@overland/datastore');
    await using open = await openClient(context, { config });
    const path = resolve(context.workingDirectory, directory);
    using progress = transferProgress(context);
    const result = dryRun
      ? await countKeys(await readDatastore(open.underLock, open.place))
      : await exportDirectory({
          store: open.underLock,
          location: open.place,
          directory: path,
          now: () => new Date(),
          onProgress: (keys) => progress.say('exported', keys),
        });
    progress[Symbol.dispose]();
    if (output === 'json') stdout.write(`${JSON.stringify(result, undefined, 2)}\n`);
    else {
      printCounts(context, result.counts);
      printLeftOut(context, result.leftOut);
      const done = dryRun ? 'Dry run: ' : 'Exported ';
      const where = dryRun ? `would go into ${path}` : `into ${path}`;
      stdout.write(
        `${done}${result.keys} keys of ${open.place}, revision ${result.revision}, ${where}\n`,
      );
    }
    if ('locked' in result && !result.locked) {
      stderr.write(
        'overland: the datastore is not locked: what changes from now on is not in the export\n',
      );
    }
    return 0;
  },
});
