import { DEFAULT_SECRETS_DIRECTORY, type Diagnostic, type FabricInputs } from '@overland/fabric';
import { type AnyResource, type Kind, parseManifest, type ResourceOfKind } from '@overland/model';
import { type CommandContext, UsageError } from '../command.ts';
import { openClient } from '../datastore/open-client.ts';
import { type ManifestInput, readManifests } from '../manifests/read-manifests.ts';
import { createJudge } from '../manifests/verdict.ts';
import { unreadable } from '../resources/read-objects.ts';

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
  const judge = createJudge();
  const faults: string[] = [];
  const resources: AnyResource[] = [];
  for await (const document of readManifests(input, context)) {
    const { verdict, lines } = judge(document);
    faults.push(...lines);
    if (verdict.valid && 'value' in document) resources.push(parseManifest(document.value));
  }
  if (faults.length > 0) throw new UsageError(faults.join('\n'));
  return { inputs: inputsOf(nodeName, resources), problems: [] };
}

/** Resources from the datastore; passwords are not among them. */
export async function inputsFromDatastore(
  nodeName: string,
  config: string | undefined,
  context: CommandContext,
): Promise<ReadInputs> {
  await using open = await openClient(context, { config });
  const resources: AnyResource[] = [];
  const problems: Diagnostic[] = [];
  for (const kind of KINDS) {
    const listed = await open.client.list(kind);
    resources.push(...(listed.resources as readonly AnyResource[]));
    for (const { name, error } of listed.invalid) {
      problems.push({
        resource: `${kind} ${name.name}`,
        reason: unreadable(kind, name, error).message,
      });
    }
  }
  return { inputs: inputsOf(nodeName, resources), problems };
}

function inputsOf(nodeName: string, resources: readonly AnyResource[]): FabricInputs {
  const all = <K extends Kind>(kind: K) =>
    resources.filter((resource): resource is ResourceOfKind<K> => resource.kind === kind);
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
