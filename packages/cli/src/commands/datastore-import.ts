import { resolve } from 'node:path';
import { command, OUTPUT_OPTION } from '../command.ts';
import { CONNECTION_OPTIONS } from '../datastore/connection-options.ts';
import { openClient } from '../datastore/open-client.ts';
import { openTarget } from '../transfer/open-target.ts';
import { runTransfer } from '../transfer/run-transfer.ts';
import { TRANSFER_OPTIONS } from '../transfer/transfer-options.ts';

/** `datastore import DIRECTORY` - the inverse of `datastore export`. */
export const datastoreImport = command({
  name: 'datastore import',
  summary: 'Write an exported directory into the datastore',
  description:
    'Compares everything first: if an object of the datastore differs, nothing is written. The datastore is locked while it is written to, and afterwards as locked as the one that was exported. Interrupted, run it again: what is there is not written twice. Objects that are not in the directory stay.',
  arguments: { directory: { summary: 'an exported directory' } },
  options: {
    ...CONNECTION_OPTIONS,
    ...TRANSFER_OPTIONS,
    edited: { type: 'boolean', summary: 'take files that were changed after the export' },
    output: OUTPUT_OPTION,
  },
  examples: [
    ['overland datastore import /var/backups/overland --dry-run', 'each key that would be written'],
    ['overland datastore import /var/backups/overland --overwrite', 'back to that state'],
  ],
  async handle(context, { directory, config, edited, ...options }) {
    const { readDirectory } = await import('@overland/datastore');
    const path = resolve(context.workingDirectory, directory);
    const source = await readDirectory(path, { allowEdited: edited });
    await using open = await openTarget(
      (mayCreate) => openClient(context, { config, mayCreate }),
      options.dryRun,
    );
    await runTransfer(context, { source, target: open.underLock, place: open.place, ...options });
    return 0;
  },
});
