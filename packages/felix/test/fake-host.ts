import { PROTOCOL, type Route } from '@overland/linux';
import {
  type FakeKernel,
  type FakeNftables,
  fakeKernel,
  fakeNftables,
} from '@overland/linux/testing';
import {
  type Family,
  familyOf,
  type NextHop,
  type NextHopSet,
  packRoutes,
  parseAddress,
  parseInterfaceAddress,
  parsePrefix,
  type RouteBatch,
} from '@overland/net';
import { pino } from 'pino';
import { createDataplane } from '../src/dataplane/index.ts';
import type { Dataplane, DataplaneOptions, EndpointState, LocalState } from '../src/index.ts';
import { openingPolicy } from './open-policy.ts';

const PEER = '/run/netns/router';

/** A host with uplinks `eth1` and `eth2`, each with an address of both families, and a loopback address. */
export interface FakeHost {
  readonly kernel: FakeKernel;
  readonly router: FakeKernel;
  readonly nftables: FakeNftables;
  /** Starts a dataplane on it; the kernel's state is whatever the last one left. Endpoints may do everything. */
  start(options?: Partial<DataplaneOptions>): Dataplane;
}

export async function fakeHost(): Promise<FakeHost> {
  const kernel = fakeKernel();
  const router = kernel.addNamespace(PEER);
  const nftables = fakeNftables();
  await kernel.links.set('lo', { up: true });
  await kernel.links.addAddress('lo', parseInterfaceAddress('10.0.0.11/32'));
  for (const n of [1, 2]) {
    const peer = { name: `port${n}`, namespace: PEER };
    await kernel.links.createVeth({ name: `eth${n}`, mtu: 1500, peer });
    await kernel.links.set(`eth${n}`, { up: true });
    await router.links.set(`port${n}`, { up: true });
    await kernel.links.addAddress(`eth${n}`, parseInterfaceAddress(`10.1.${n}.0/31`));
    await kernel.links.addAddress(`eth${n}`, parseInterfaceAddress(`fd00:1:${n}::/127`));
  }
  kernel.operations.length = 0;
  const log = pino({ level: 'silent' });
  return {
    kernel,
    router,
    nftables,
    start: (options) =>
      openingPolicy(createDataplane({ kernel, nftables, log, objectGraceMs: 0, ...options })),
  };
}

/** Set 1 uses both uplinks, 2 the first, 3 the second. */
export const SETS: Readonly<Record<Family, readonly NextHopSet[]>> = {
  ipv4: sets(nextHop('10.1.1.1', 'eth1'), nextHop('10.1.2.1', 'eth2')),
  ipv6: sets(nextHop('fd00:1:1::1', 'eth1'), nextHop('fd00:1:2::1', 'eth2')),
};

function nextHop(address: string, device: string): NextHop {
  return { address: parseAddress(address), device };
}

function sets(first: NextHop, second: NextHop): NextHopSet[] {
  return [
    { id: 1, nextHops: [first, second] },
    { id: 2, nextHops: [first] },
    { id: 3, nextHops: [second] },
    {
      id: 4,
      nextHops: [
        { ...first, weight: 2 },
        { ...second, weight: 3 },
      ],
    },
    { id: 5, nextHops: [] },
  ];
}

/** Prefix to the number of its set; 0 withdraws. */
export type Wanted = Readonly<Record<string, number>>;

/** A batch of the routes of one family in `wanted`. */
export function batch(family: Family, wanted: Wanted, endOfRib: boolean): RouteBatch {
  const changes = Object.entries(wanted)
    .filter(([prefix]) => familyOf(prefix) === family)
    .map(([prefix, nextHopSet]) => ({ prefix: parsePrefix(prefix), nextHopSet }));
  return {
    sequence: 1,
    family,
    nextHopSets: SETS[family],
    records: packRoutes(family, changes),
    endOfRib,
  };
}

/** Offers everything that is wanted, in both families. */
export async function offer(dataplane: Dataplane, wanted: Wanted, endOfRib = true): Promise<void> {
  await dataplane.applyRoutes(batch('ipv4', wanted, endOfRib));
  await dataplane.applyRoutes(batch('ipv6', wanted, endOfRib));
}

export function localState(changes: {
  readonly synced?: boolean;
  readonly endpoints?: readonly EndpointState[];
  readonly blackholes?: readonly string[];
}): LocalState {
  return {
    synced: changes.synced ?? true,
    endpoints: new Map(changes.endpoints?.map((endpoint) => [endpoint.interfaceName, endpoint])),
    blackholes: (changes.blackholes ?? []).map(parsePrefix),
    sources: { ipv4: parseAddress('10.0.0.11') },
  };
}

export function endpoint(interfaceName: string, ...addresses: string[]): EndpointState {
  return {
    interfaceName,
    workloadAddresses: addresses.map(parseAddress),
    addresses: [parseInterfaceAddress('169.254.1.1/32')],
    sysctls: [[`net.ipv4.conf.${interfaceName}.proxy_arp`, '1']],
    mtu: 1400,
  };
}

/** Our next-hop objects: `10.1.1.1@eth1`, or `group` and its members. In order. */
export async function objects(kernel: FakeKernel): Promise<string[]> {
  const listed = await kernel.nextHopObjects.list(PROTOCOL.bgp);
  const spell = await spelling(kernel);
  return listed
    .map(({ id, content }) => (content.type === 'group' ? `group ${spell(id)}` : spell(id)))
    .toSorted();
}

/** A share of the load, unless it is 1. */
export function shareText(weight = 1): string {
  return weight === 1 ? '' : `*${weight}`;
}

/** Turns the id of an object into the paths it leads to. */
async function spelling(kernel: FakeKernel): Promise<(id: number) => string> {
  const listed = await kernel.nextHopObjects.list();
  const contents = new Map(listed.map(({ id, content }) => [id, content]));
  const spell = (id: number): string => {
    const content = contents.get(id);
    if (!content) return `missing ${id}`;
    return content.type === 'group'
      ? content.members
          .map((member, i) => `${spell(member)}${shareText(content.weights?.[i])}`)
          .toSorted()
          .join(' ')
      : `${content.nextHop.address}@${content.nextHop.device}`;
  };
  return spell;
}

/** The main table with next-hop objects spelled out: what a packet would meet. One line per route, in order. */
export async function forwarding(
  kernel: FakeKernel,
  protocol: number = PROTOCOL.bgp,
): Promise<string[]> {
  const spell = await spelling(kernel);
  const text = ({ destination, source, target, metric }: Route): string => {
    const to = target.type === 'next-hop-object' ? spell(target.id) : JSON.stringify(target);
    return `${destination} metric ${metric} src ${source ?? '-'} to ${to}`;
  };
  const routes = [
    ...(await kernel.routes.list('ipv4', protocol)),
    ...(await kernel.routes.list('ipv6', protocol)),
  ];
  return routes.map(text).toSorted();
}
