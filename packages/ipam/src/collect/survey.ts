import { CompactedError, type Datastore, type Entry, type Revision } from '@overland/datastore';
import {
  type AffinityOwner,
  type AffinityState,
  type AllocationBlock,
  affinityPrefix,
  blockPrefix,
  DEFAULT_IPAM_CONFIG,
  decodeAffinity,
  decodeHandle,
  decodeIpamConfig,
  HANDLE_PREFIX,
  type Handle,
  IPAM_CONFIG_KEY,
  type IpamConfig,
  IpamValueError,
  type Kind,
  type Labels,
  parseAffinityKey,
  parseBlockKey,
  parseHandleKey,
  type ResourceOfKind,
  resourcePrefix,
  tryReadResource,
} from '@overland/model';
import { type IpAddress, networkAddress, type Prefix } from '@overland/net';
import { readableBlock } from '../block.ts';
import { InconsistentBlockError } from '../errors.ts';
import type { Instant } from '../instant.ts';
import { objectOf, type Pool, readPool, type UnreadablePool } from '../pool.ts';
import { RESERVATION_PREFIX, readReservation } from '../reservation.ts';

/** A value that was read, or why it cannot be. */
type Readable<T> =
  | { readonly value: T; readonly fault?: undefined }
  | { readonly value?: undefined; readonly fault: string };

/** A claim as it is stored. */
export interface SurveyedClaim {
  readonly owner: AffinityOwner;
  readonly cidr: Prefix;
  /** `undefined` if it cannot be read. */
  readonly state: AffinityState | undefined;
  readonly revision: Revision;
}

/** A block as it is stored. */
export type SurveyedBlock = Readable<AllocationBlock> & {
  readonly cidr: Prefix;
  readonly revision: Revision;
};

/** A handle as it is stored. */
type SurveyedHandle = Readable<Handle> & {
  readonly id: string;
  readonly revision: Revision;
};

/** Everything that concerns addresses, in the whole cluster, at one revision. */
export interface Survey {
  readonly revision: Revision;
  readonly takenAt: Instant;
  /** Nodes and their labels. */
  readonly nodes: ReadonlyMap<string, Labels>;
  readonly pools: readonly (Pool | UnreadablePool)[];
  readonly config: IpamConfig;
  /** Ranges of IPReservations that can be read. */
  readonly reserved: readonly Prefix[];
  readonly claims: readonly SurveyedClaim[];
  readonly blocks: readonly SurveyedBlock[];
  readonly handles: readonly SurveyedHandle[];
  /** Addresses that endpoints and tunnels of nodes have, and whose they are. */
  readonly inUse: ReadonlyMap<IpAddress, string>;
}

const MAX_TRIES = 5;

/**
 * Reads everything at one revision: what is seen together is true together.
 *
 * @param onProgress Told how many entries have been read.
 * @throws {UnavailableError} If the datastore does not answer.
 * @throws {CompactedError} If it forgets the revision again and again before all is read.
 */
export async function takeSurvey(
  datastore: Datastore,
  takenAt: Instant,
  onProgress: (entries: number) => void = () => undefined,
): Promise<Survey> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await surveyOnce(datastore, takenAt, onProgress);
    } catch (error) {
      if (!(error instanceof CompactedError) || attempt === MAX_TRIES) throw error;
    }
  }
}

async function surveyOnce(
  datastore: Datastore,
  takenAt: Instant,
  onProgress: (entries: number) => void,
): Promise<Survey> {
  let revision: Revision | undefined;
  let count = 0;
  const all = async (prefix: string): Promise<Entry[]> => {
    const found: Entry[] = [];
    let after: string | undefined;
    do {
      const page = await datastore.list(prefix, {
        ...(after !== undefined && { after }),
        ...(revision !== undefined && { revision }),
      });
      revision = page.revision;
      found.push(...page.entries);
      count += page.entries.length;
      onProgress(count);
      after = page.next;
    } while (after !== undefined);
    return found;
  };

  const nodes = resources('Node', await all(resourcePrefix('Node')));
  const pools = await all(resourcePrefix('IPPool'));
  const config = (await all(IPAM_CONFIG_KEY)).find(({ key }) => key === IPAM_CONFIG_KEY);
  const reservations = await all(RESERVATION_PREFIX);
  const endpoints = resources('WorkloadEndpoint', await all(resourcePrefix('WorkloadEndpoint')));
  const claims = [
    ...(await all(affinityPrefix('host'))),
    ...(await all(affinityPrefix('virtual'))),
  ];
  const blocks = await all(blockPrefix());
  const handles = await all(HANDLE_PREFIX);
  if (revision === undefined) throw new Error('nothing was listed');
  return {
    revision,
    takenAt,
    nodes: new Map(nodes.map(({ metadata }) => [metadata.name, metadata.labels ?? {}])),
    pools: pools.map(({ key, value }) =>
      readPool(key.slice(resourcePrefix('IPPool').length), value),
    ),
    config: (config && orElse(() => decodeIpamConfig(config.value)).value) ?? DEFAULT_IPAM_CONFIG,
    reserved: reservations.flatMap((entry) => orElse(() => readReservation(entry)).value ?? []),
    claims: claims.flatMap(claimOf),
    blocks: blocks.flatMap(blockOf),
    handles: handles.flatMap(handleOf),
    inUse: new Map([...nodes.flatMap(tunnelsOf), ...endpoints.flatMap(addressesOf)]),
  };
}

function claimOf({ key, value, revision }: Entry): SurveyedClaim[] {
  const claim = parseAffinityKey(key);
  if (!claim) return [];
  return [{ ...claim, state: orElse(() => decodeAffinity(value)).value?.state, revision }];
}

function blockOf({ key, value, revision }: Entry): SurveyedBlock[] {
  const cidr = parseBlockKey(key);
  return cidr ? [{ cidr, revision, ...orElse(() => readableBlock(value)) }] : [];
}

function handleOf({ key, value, revision }: Entry): SurveyedHandle[] {
  const id = parseHandleKey(key);
  return id === undefined ? [] : [{ id, revision, ...orElse(() => decodeHandle(value)) }];
}

function addressesOf({
  metadata,
  spec,
}: ResourceOfKind<'WorkloadEndpoint'>): [IpAddress, string][] {
  const name = `WorkloadEndpoint ${metadata.namespace ?? 'default'}/${metadata.name}`;
  return spec.ipNetworks.map((network) => [networkAddress(network), name]);
}

/** Nodes of Calico have addresses for their tunnels. */
function tunnelsOf({ metadata, spec }: ResourceOfKind<'Node'>): [IpAddress, string][] {
  const addresses = [
    spec.bgp?.ipv4IPIPTunnelAddr,
    spec.ipv4VXLANTunnelAddr,
    spec.ipv6VXLANTunnelAddr,
    spec.wireguard?.interfaceIPv4Address,
    spec.wireguard?.interfaceIPv6Address,
  ];
  return addresses.flatMap((address) =>
    address === undefined ? [] : [[address, `tunnel of Node ${metadata.name}`]],
  );
}

/** What cannot be read is left out: others say so. */
function resources<K extends Kind>(kind: K, entries: readonly Entry[]): ResourceOfKind<K>[] {
  return entries.flatMap(({ value }) => {
    const object = objectOf(value);
    const result = object === undefined ? undefined : tryReadResource(kind, object);
    return result && 'resource' in result ? result.resource : [];
  });
}

function orElse<T>(read: () => T): Readable<T> {
  try {
    return { value: read() };
  } catch (error) {
    if (error instanceof IpamValueError || error instanceof InconsistentBlockError) {
      return { fault: error.message };
    }
    throw error;
  }
}
