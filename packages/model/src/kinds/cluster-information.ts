import { z } from 'zod';
import { defineKind, type ResourceOf } from '../kind.ts';
import { onlyName } from '../name-rules.ts';
import { pattern } from '../scalars.ts';

/** Facts about the cluster as a whole. */
export const clusterInformation = defineKind({
  kind: 'ClusterInformation',
  summary:
    'Facts about the cluster, in one object named default. Written when the datastore is first used and by `datastore lock`, never by hand.',
  plural: 'clusterinformations',
  aliases: ['clusterinfo', 'clusterinfos'],
  name: onlyName('default'),
  spec: z.object({
    clusterGUID: pattern('hexadecimal digits', /^[0-9a-fA-F]{1,64}$/)
      .optional()
      .describe('Tells this cluster from others: a UUID of 16 octets in hexadecimal.'),
    clusterType: z.string().optional().describe('Words that describe the cluster, by commas.'),
    calicoVersion: z.string().optional().describe('The version of Calico that wrote last.'),
    datastoreReady: z
      .boolean()
      .optional()
      .describe('False while the datastore is locked: nobody makes or removes endpoints.'),
    variant: z.string().optional().describe('Which product wrote it.'),
  }),
});

export type ClusterInformation = ResourceOf<typeof clusterInformation>;
