import { command } from '../command.ts';
import { CONNECTION_OPTIONS } from '../datastore/connection-options.ts';
import { openClient } from '../datastore/open-client.ts';

/** `datastore lock` - agents, and Calico's, change nothing until `datastore unlock`. */
export const datastoreLock = command({
  name: 'datastore lock',
  summary: 'Keep agents and the command line from changing the datastore',
  description:
    "Sets datastoreReady to false in the ClusterInformation, as calicoctl does. What is forwarded goes on; containers that leave give back their addresses after 'overland datastore unlock'; new ones wait for it.",
  options: CONNECTION_OPTIONS,
  examples: [
    ['overland datastore lock', 'before a migration'],
    ['overland datastore lock -c /etc/calico/calicoctl.cfg', "Calico's etcd"],
  ],
  async handle(context, { config }) {
    const { setLock } = await import('@overland/datastore');
    await using open = await openClient(context, { config });
    const isNew = await setLock(open.underLock, true);
    context.stdout.write(`Datastore ${isNew ? 'locked' : 'was locked already'}: ${open.place}\n`);
    return 0;
  },
});
