import { readCluster } from '../cluster.ts';
import { command, OUTPUT_OPTION } from '../command.ts';
import { CONNECTION_OPTIONS } from '../datastore/connection-options.ts';

/** `cluster info [-o json]` - which cluster this is, and whether it is open for changes. */
export const clusterInfo = command({
  name: 'cluster info',
  summary: 'Show which cluster this is: its id, its type, and whether it is locked',
  options: { output: OUTPUT_OPTION, ...CONNECTION_OPTIONS },
  examples: [
    ['overland cluster info', 'of the datastore that this machine uses'],
    ['overland cluster info -c other.cfg -o json', 'of another one, for a script'],
  ],
  async handle(context, { output, config }) {
    const { stdout, colours } = context;
    const { place, ...cluster } = await readCluster(context, config);
    if (output === 'json') {
      stdout.write(`${JSON.stringify({ ...cluster, place })}\n`);
      return 0;
    }
    const state = cluster.datastoreReady ? colours.green('open') : colours.yellow('locked');
    const lines = [
      `Cluster GUID     ${cluster.clusterGUID ?? ''}`,
      `Cluster type     ${cluster.clusterType ?? ''}`,
      ...(cluster.calicoVersion === null ? [] : [`Calico version   ${cluster.calicoVersion}`]),
      `Datastore        ${place}, ${state}`,
    ];
    stdout.write(`${lines.map((line) => line.trimEnd()).join('\n')}\n`);
    return 0;
  },
});
