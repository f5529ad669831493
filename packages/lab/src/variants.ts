import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Node, Topology } from './topology/topology.ts';

/** The topology cannot be run in this variant. */
export class VariantError extends Error {
  override readonly name = 'VariantError';
}

/** Where an image of ours looks for the configuration of a router without agent. */
const SPEAKER_CONFIGURATION = '/etc/overland/speaker.yaml';
const ROUTER_CONFIGURATIONS = ['/etc/frr/frr.conf', '/etc/bird/bird.conf'];

/**
 * The same lab with every FRR and BIRD node run by Overland's own speaker. Its configuration is `speaker.yaml` beside the
 * router's own.
 *
 * @throws {VariantError} Naming the nodes that have none.
 */
export function withOverlandRouters(topology: Topology): Topology {
  const lacking: string[] = [];
  const nodes = topology.nodes.map((node): Node => {
    if (node.recipe !== 'frr' && node.recipe !== 'bird') return node;
    const original = node.binds.find(({ target }) => ROUTER_CONFIGURATIONS.includes(target));
    const source = original && `${dirname(original.source)}/speaker.yaml`;
    if (source === undefined || !existsSync(source)) {
      lacking.push(node.name);
      return node;
    }
    return {
      ...node,
      image: 'overland/node',
      recipe: 'overland',
      command: ['bgp', 'run', '-c', SPEAKER_CONFIGURATION],
      binds: [{ source, target: SPEAKER_CONFIGURATION, mode: 'ro' }],
    };
  });
  if (lacking.length > 0) {
    throw new VariantError(
      `no speaker.yaml beside the router configuration of ${lacking.join(', ')}: they cannot run Overland's speaker`,
    );
  }
  return { ...topology, nodes };
}

/** The same lab with its agents on a real etcd in the management network instead of SQLite. */
export function withEtcd(topology: Topology): Topology {
  const environment = {
    OVERLAND_DATASTORE_TYPE: 'etcd',
    OVERLAND_ETCD_ENDPOINTS: `http://${topology.management.ipv4Gateway}:2379`,
  };
  const nodes = topology.nodes.map((node): Node => {
    const isHost = node.recipe === 'overland' && node.command[0] !== 'bgp';
    return isHost ? { ...node, environment: { ...node.environment, ...environment } } : node;
  });
  return { ...topology, datastore: 'etcd', nodes };
}
