import type { TransferSource } from '@overland/datastore';
import { command, OUTPUT_OPTION, UsageError } from '../command.ts';
import type { OpenClient } from '../datastore/open-client.ts';
import { openTarget } from '../transfer/open-target.ts';
import { runTransfer } from '../transfer/run-transfer.ts';
import {
  LOCATION_FORMS,
  parseLocation,
  type TransferLocation,
} from '../transfer/transfer-location.ts';
import { TRANSFER_OPTIONS } from '../transfer/transfer-options.ts';

/** `datastore migrate --from … --to …` - from one datastore into another, without a directory between. */
export const datastoreMigrate = command({
  name: 'datastore migrate',
  summary: 'Move everything from one datastore into another',
  description: `Both are ${LOCATION_FORMS}; the environment has no say. An etcd with TLS or a password is named by its configuration file. The source must be locked, so that nothing changes in it while agents are pointed to the target; the target is locked, too, until 'overland datastore unlock'. As import does, it compares everything first, and can be run again.`,
  options: {
    from: { type: 'string', value: 'location', summary: 'the source' },
    to: { type: 'string', value: 'location', summary: 'the target' },
    ...TRANSFER_OPTIONS,
    unlocked: { type: 'boolean', summary: 'copy a source that is in use, as it is now' },
    output: OUTPUT_OPTION,
  },
  examples: [
    [
      'overland datastore migrate --from config:calicoctl.cfg --to sqlite:/var/lib/overland/datastore.db',
      'from etcd to one machine',
    ],
    [
      'overland datastore migrate --from sqlite:datastore.db --to etcd:http://10.0.0.1:2379 --dry-run',
      'what would it write?',
    ],
  ],
  async handle(context, { from, to, unlocked, ...options }) {
    if (from === undefined || to === undefined) {
      throw new UsageError(`--from and --to are needed: ${LOCATION_FORMS}`);
    }
    const [source, target] = [
      parseLocation('--from', from, context),
      parseLocation('--to', to, context),
    ];
    if (target.type === 'directory') {
      throw new UsageError("--to a directory is what 'overland datastore export' does");
    }
    await using opened = await openSource(source);
    if (opened.isLocked === false && !unlocked && !options.dryRun) {
      throw new UnlockedError(
        `${opened.source.location} is not locked: agents may change it after it was read. Lock it first (overland datastore lock), or copy it as it is now with --unlocked`,
      );
    }
    await using open = await openTarget(target.open, options.dryRun);
    await runTransfer(context, {
      source: opened.source,
      target: open.underLock,
      place: open.place,
      ...options,
    });
    return 0;
  },
});

/** What is read may be changed right afterwards, and the change would be lost. */
class UnlockedError extends Error {
  override readonly name = 'RefusedError';
}

interface OpenSource extends AsyncDisposable {
  readonly source: TransferSource;
  /** `undefined`: a directory does not change by itself. */
  readonly isLocked: boolean | undefined;
}

async function openSource(location: TransferLocation): Promise<OpenSource> {
  const { isDatastoreLocked, readDatastore, readDirectory } = await import('@overland/datastore');
  if (location.type === 'directory') {
    const source = await readDirectory(location.path);
    return { source, isLocked: undefined, [Symbol.asyncDispose]: async () => undefined };
  }
  const open: OpenClient = await location.open(false);
  try {
    return {
      isLocked: await isDatastoreLocked(open.underLock),
      source: await readDatastore(open.underLock, open.place),
      [Symbol.asyncDispose]: () => open[Symbol.asyncDispose](),
    };
  } catch (error) {
    await open[Symbol.asyncDispose]();
    throw error;
  }
}
