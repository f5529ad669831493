import { createHash } from 'node:crypto';
import { workloadHandlePrefix } from '@overland/model';
import { type Family, familyOf, type IpAddress, WORKLOAD_LINK } from '@overland/net';
import type { AttachedWorkload, AttachRequest, DetachRequest, ListedWorkload } from './api.ts';
import type { WorkloadLink } from './workload-network.ts';

/**
 * How far one attachment has come, as the journal holds it. Written before anything is done, so that after
 * a crash everything that may exist can be found again:
 *
 *   attaching → attached → detaching → (no record)
 *       └──────── failed ─────┘
 */
export interface WorkloadRecord {
  readonly version: 1;
  readonly state: 'attaching' | 'attached' | 'detaching';
  readonly request: AttachRequest;
  /** Of the request, or what was the default then. */
  readonly families: readonly Family[];
  /** In IPAM. */
  readonly handle: string;
  readonly hostInterface: string;
  readonly mac: string;
  /** In octets. */
  readonly mtu: number;
  /** Empty until they are known. */
  readonly addresses: readonly IpAddress[];
}

/** What a record takes from the host when it begins. */
export interface HostDefaults {
  readonly node: string;
  readonly families: readonly Family[];
  /** In octets. */
  readonly mtu: number;
}

/** The record of an attachment that begins. */
export function newRecord(
  { node, families, mtu }: HostDefaults,
  request: AttachRequest,
): WorkloadRecord {
  return {
    version: 1,
    state: 'attaching',
    request,
    families: request.families ?? families,
    handle: handleOf(node, request),
    hostInterface: hostInterfaceOf(request),
    mac: request.mac ?? macOf(request),
    mtu: request.mtu ?? mtu,
    addresses: [],
  };
}

/** Names the holder of the addresses in the whole cluster: container IDs are unique on their host only. */
function handleOf(node: string, { containerId, interface: name }: DetachRequest): string {
  return `${workloadHandlePrefix(node)}${containerId}.${name}`;
}

/** Name of the host's end, at most 15 characters: a hash, because one container can have several interfaces. */
export function hostInterfaceOf(key: DetachRequest): string {
  return WORKLOAD_LINK.namePrefix + digest(key).toString('hex').slice(0, 11);
}

/** Name of the container's end as long as its runtime has not moved it. */
function handoverInterfaceOf({ hostInterface }: Pick<WorkloadRecord, 'hostInterface'>): string {
  return WORKLOAD_LINK.handoverPrefix + hostInterface.slice(WORKLOAD_LINK.namePrefix.length);
}

/** The link that an attachment consists of. */
export function linkOf(record: WorkloadRecord): WorkloadLink {
  const { request, hostInterface, mac, mtu, addresses } = record;
  return {
    hostInterface,
    namespacePath: request.namespacePath,
    containerInterface: request.handover ? handoverInterfaceOf(record) : request.interface,
    isHandedOver: request.handover ?? false,
    mac,
    mtu,
    addresses,
    ...(request.routes && { routes: request.routes }),
  };
}

/** Of the container's end: the same whenever this attachment is made anew. Locally administered, unicast. */
function macOf(key: DetachRequest): string {
  const octets = [0x02, ...digest(key).subarray(6, 11)];
  return octets.map((octet) => octet.toString(16).padStart(2, '0')).join(':');
}

function digest({ containerId, interface: name }: DetachRequest): Buffer {
  return createHash('sha256').update(`${containerId}/${name}`).digest();
}

/** What a caller of attach is told. */
export function attachedWorkload(record: WorkloadRecord): AttachedWorkload {
  const { state: _, network: __, ...listed } = listedWorkload(record);
  const families = new Set(record.addresses.map(familyOf));
  return {
    ...listed,
    gateways: {
      ...(families.has('ipv4') && { ipv4: WORKLOAD_LINK.gateway.ipv4 }),
      ...(families.has('ipv6') && { ipv6: WORKLOAD_LINK.gateway.ipv6 }),
    },
    ...(record.request.handover && { handoverInterface: handoverInterfaceOf(record) }),
    mac: record.mac,
    mtu: record.mtu,
  };
}

export function listedWorkload({
  state,
  request,
  addresses,
  hostInterface,
}: WorkloadRecord): ListedWorkload {
  const { containerId, interface: name, namespacePath, namespace, network } = request;
  return {
    state,
    containerId,
    interface: name,
    name: request.name,
    namespace,
    namespacePath,
    addresses,
    hostInterface,
    ...(network !== undefined && { network }),
  };
}
