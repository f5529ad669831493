import { setTimeout as delay } from 'node:timers/promises';
import { type CommandContext, command, OUTPUT_OPTION, UsageError } from '../command.ts';
import { CONNECTION_OPTIONS } from '../datastore/connection-options.ts';
import { overlandVersion } from '../overland-version.ts';

/** `version [--cluster] [-o json]` - of Overland, of the Node.js that runs it, and which cluster it is. */
export const version = command({
  name: 'version',
  summary: 'Print the version',
  description:
    'Without --cluster no datastore is asked. Any version works with any cluster: there is no gate between the two as calicoctl has it (docs/cli.md).',
  options: {
    client: {
      type: 'boolean',
      summary: 'only of this command: the default, for calicoctl scripts',
    },
    cluster: { type: 'boolean', summary: 'also what the cluster says of itself' },
    poll: {
      type: 'number',
      value: 'seconds',
      minimum: 1,
      maximum: 86_400,
      summary: 'as --cluster, and again that often; prints when it has changed, until Ctrl-C',
    },
    output: OUTPUT_OPTION,
    ...CONNECTION_OPTIONS,
  },
  examples: [
    ['overland version', 'for a person'],
    ['overland version --cluster -o json', 'with the cluster, for a script'],
  ],
  async handle(context, { client, cluster, poll, output, config }) {
    if (client && (cluster || poll !== undefined)) {
      throw new UsageError('give --client, or --cluster or --poll, not both');
    }
    const { stdout, signal } = context;
    const own = { overland: await overlandVersion(), node: process.version.slice(1) };
    let shown = '';
    for (;;) {
      const about = cluster || poll !== undefined ? await clusterOf(context, config) : undefined;
      const text =
        output === 'json'
          ? `${JSON.stringify({ ...own, ...(about && { cluster: about.json }) })}\n`
          : `overland ${own.overland} (Node.js ${own.node})\n${about?.text ?? ''}`;
      if (text !== shown) stdout.write(text);
      shown = text;
      if (poll === undefined || signal.aborted) return 0;
      await delay(poll * 1000, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return 0;
    }
  },
});

async function clusterOf(context: CommandContext, config: string | undefined) {
  // Loads the datastore's modules: only who asks for the cluster waits for them.
  const { readCluster } = await import('../cluster.ts');
  const { place: _, ...json } = await readCluster(context, config);
  const { clusterGUID, clusterType, calicoVersion } = json;
  const calico = calicoVersion === null ? '' : `, Calico ${calicoVersion}`;
  return { json, text: `cluster ${clusterGUID ?? '-'} (${clusterType ?? 'no type'}${calico})\n` };
}
