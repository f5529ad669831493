import { command } from '../command.ts';
import { CONNECTION_OPTIONS } from '../datastore/connection-options.ts';
import { openClient } from '../datastore/open-client.ts';

/** `datastore unlock` - the inverse of `datastore lock`. */
export const datastoreUnlock = command({
  name: 'datastore unlock',
  summary: 'Let agents and the command line change the datastore again',
  description:
    'After a migration unlock the target, when agents have been pointed to it; never the source, which would then be changed on its own.',
  options: CONNECTION_OPTIONS,
  examples: [
    ['overland datastore unlock', 'the datastore that other commands use'],
    ['overland datastore unlock -c new-etcd.cfg', 'the target of a migration'],
  ],
  async handle(context, { config }) {
    const { setLock } = await import('@overland/datastore');
    await using open = await openClient(context, { config });
    const isNew = await setLock(open.underLock, false);
    context.stdout.write(`Datastore ${isNew ? 'unlocked' : 'was not locked'}: ${open.place}\n`);
    return 0;
  },
});
