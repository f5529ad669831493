import { DEFAULT_SECRETS_DIRECTORY, type Diagnostic, type FabricInputs } from '@overland/fabric';
import type { AnyResource, Kind } from '@overland/model';
import type { CommandContext } from '../command.ts';
import type { ManifestInput } from '../manifests/read-manifests.ts';
import {
  ofKind,
  resourcesFromDatastore,
  resourcesFromManifests,
} from '../resources/read-cluster.ts';

/** What a node's speaker is derived from, and what of it could not be read. */
export interface ReadInputs {
  readonly inputs: FabricInputs;
  readonly problems: readonly Diagnostic[];
}

/** The kinds that a speaker's configuration depends on. */
const KINDS = [
  'Node',
  'BGPConfiguration',
  'BGPPeer',
  'BGPFilter',
  'IPPool',
  'BlockAffinity',
  'IPAMConfiguration',
  'WorkloadEndpoint',
] as const satisfies readonly Kind[];

/**
 * Resources from manifests; other kinds are checked and passed over. A BlockAffinity says which blocks a node has.
 *
 * @throws {UsageError} If any document is not valid, with every fault.
 */
export async function inputsFromManifests(
  nodeName: string,
  input: ManifestInput,
  context: CommandContext,
): Promise<ReadInputs> {
  const { resources, problems } = await resourcesFromManifests(input, context);
  return { inputs: inputsOf(nodeName, resources), problems };
}

/** Resources from the datastore; passwords are not among them. */
export async function inputsFromDatastore(
  nodeName: string,
  config: string | undefined,
  context: CommandContext,
): Promise<ReadInputs> {
  const { resources, problems } = await resourcesFromDatastore(KINDS, config, context);
  return { inputs: inputsOf(nodeName, resources), problems };
}

function inputsOf(nodeName: string, resources: readonly AnyResource[]): FabricInputs {
  const all = <K extends Kind>(kind: K) => ofKind(resources, kind);
  const blocks = all('BlockAffinity')
    .filter(({ spec }) => spec.node === nodeName && spec.type === 'host')
    .filter(({ spec }) => spec.state === 'confirmed')
    .map(({ spec }) => spec.cidr);
  return {
    nodeName,
    blocks,
    nodes: all('Node'),
    bgpConfigurations: all('BGPConfiguration'),
    bgpPeers: all('BGPPeer'),
    bgpFilters: all('BGPFilter'),
    pools: all('IPPool'),
    endpoints: all('WorkloadEndpoint'),
    lent: [],
    secretsDirectory: DEFAULT_SECRETS_DIRECTORY,
    strictAffinity: all('IPAMConfiguration').some(({ spec }) => spec.strictAffinity),
  };
}
