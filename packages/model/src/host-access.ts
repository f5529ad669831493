import {
  affinityPrefix,
  blockPrefix,
  CLUSTER_INFORMATION_KEY,
  CONTROLLERS_CONFIGURATION_KEY,
  HANDLE_PREFIX,
  handleKey,
  IPAM_CONFIG_KEY,
  resourceKey,
  resourcePrefix,
} from './keys.ts';
import {
  COLLECTION_LEADER_KEY,
  COMPACTION_LEADER_KEY,
  extensionPrefix,
  hostClaimKey,
  workloadHandlePrefix,
} from './overland-keys.ts';
import { POLICY_KINDS } from './policy/policy-kinds.ts';

/** Keys from `from` on, up to and without `to`. A single key has no `to`. */
export interface KeyRange {
  readonly from: string;
  readonly to?: string;
}

/** What a host may do with some keys, and what for. */
export interface KeyAccess extends KeyRange {
  readonly access: 'read' | 'readwrite';
  readonly reason: string;
}

/** Whose access is asked for. */
export interface HostIdentity {
  /** Name of its Node. */
  readonly name: string;
  /** Those in which its workloads are; default: all there are. */
  readonly namespaces?: readonly string[];
  /** Whether it may also give back what hosts that are gone have left, when it is elected to. */
  readonly repairs?: boolean;
}

/**
 * The least that the agent of one host must be able to read and write, key by key. Whatever an agent is taught to read
 * or write has its line here, or fails on an etcd with users (tested: `tests/interop/agent-etcd.test.ts`).
 */
export function hostAccess({
  name,
  namespaces,
  repairs = false,
}: HostIdentity): readonly KeyAccess[] {
  const endpoints = resourcePrefix('WorkloadEndpoint');
  return [
    read(keysWithPrefix(resourcePrefix('Node')), 'addresses and AS numbers of the other hosts'),
    write({ from: resourceKey('Node', { name }) }, 'its own Node'),
    read(keysWithPrefix(resourcePrefix('BGPConfiguration')), 'BGP settings'),
    read(
      keysWithPrefix(extensionPrefix('BGPConfiguration')),
      'the fields of BGP settings that Calico lacks',
    ),
    read(keysWithPrefix(resourcePrefix('BGPPeer')), 'whom to peer with'),
    read(keysWithPrefix(extensionPrefix('BGPPeer')), 'the fields of peers that Calico lacks'),
    read(keysWithPrefix(resourcePrefix('BGPFilter')), 'the filters that peers name'),
    read(keysWithPrefix(extensionPrefix('BGPFilter')), 'the fields of filters that Calico lacks'),
    read(keysWithPrefix(resourcePrefix('IPPool')), 'pools to claim blocks from'),
    read(keysWithPrefix(resourcePrefix('IPReservation')), 'addresses to leave out'),
    read(keysWithPrefix(IPAM_CONFIG_KEY), 'limits of address management'),
    read(keysWithPrefix(affinityPrefix('host')), 'which blocks are claimed by other hosts'),
    read(keysWithPrefix(affinityPrefix('virtual')), 'which blocks are claimed by no host'),
    write(keysWithPrefix(affinityPrefix('host', name)), 'its own claims'),
    write(keysWithPrefix(blockPrefix()), 'blocks: whoever claims one next may be any host'),
    write(keysWithPrefix(handleKey(workloadHandlePrefix(name))), 'what its workloads hold'),
    read(keysWithPrefix(endpoints), 'endpoints of all hosts'),
    ...POLICY_KINDS.map((kind) =>
      read(keysWithPrefix(resourcePrefix(kind)), 'what decides about traffic'),
    ),
    ...(namespaces
      ? namespaces.map((each) => write(ownEndpoints(each, name), `its own endpoints in ${each}`))
      : [write(keysWithPrefix(endpoints), 'its own endpoints, in whichever namespace')]),
    write({ from: hostClaimKey(name) }, 'its claim to the name'),
    read({ from: CLUSTER_INFORMATION_KEY }, 'whether the datastore is locked'),
    read(
      keysWithPrefix(CONTROLLERS_CONFIGURATION_KEY),
      'how often etcd is compacted, and how long leaks are kept',
    ),
    write(keysWithPrefix(COMPACTION_LEADER_KEY), 'the election of the host that compacts etcd'),
    read(keysWithPrefix(HANDLE_PREFIX), 'what has leaked, if it is elected to look for it'),
    write(keysWithPrefix(COLLECTION_LEADER_KEY), 'the election of the host that collects leaks'),
    ...(repairs ? REPAIRS : []),
  ];
}

const REPAIRS: readonly KeyAccess[] = [
  write(keysWithPrefix(affinityPrefix('host')), 'claims that hosts which are gone have left'),
  write(keysWithPrefix(affinityPrefix('virtual')), 'claims that nothing stands behind any more'),
  write(keysWithPrefix(HANDLE_PREFIX), 'what containers that are gone have left'),
];

/** Whether every key of `inner` is in `outer`. */
export function covers(outer: KeyRange, inner: KeyRange): boolean {
  const end = ({ from, to = `${from}\0` }: KeyRange): string => to;
  return outer.from <= inner.from && end(inner) <= end(outer);
}

/** All keys that start with a text. */
export function keysWithPrefix(text: string): KeyRange {
  const last = text.length - 1;
  return { from: text, to: text.slice(0, last) + String.fromCharCode(text.charCodeAt(last) + 1) };
}

/**
 * Names begin with the node's, its dashes doubled, and one dash. That no second dash follows tells `a` from `a-b`, whose
 * endpoints are `a--b-…`.
 */
function ownEndpoints(namespace: string, node: string): KeyRange {
  const start = `${resourcePrefix('WorkloadEndpoint', namespace)}${node.replaceAll('-', '--')}`;
  return { from: `${start}-.`, to: `${start}.` };
}

function read(range: KeyRange, reason: string): KeyAccess {
  return { access: 'read', ...range, reason };
}

function write(range: KeyRange, reason: string): KeyAccess {
  return { access: 'readwrite', ...range, reason };
}
