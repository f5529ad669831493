import { type Datastore, type Entry, MemoryDatastore, UnavailableError } from '@overland/datastore';
import {
  affinityPrefix,
  blockPrefix,
  decodeAffinity,
  decodeHandle,
  HANDLE_PREFIX,
  parseAffinityKey,
  parseHandleKey,
  resourceKey,
} from '@overland/model';
import type { Family, IpAddress } from '@overland/net';
import { allocationsOf, readableBlock } from '../src/block.ts';
import { NoAddressError } from '../src/errors.ts';
import { createIpam, type Ipam } from '../src/ipam.ts';
import { IpamView } from '../src/view.ts';
import type { World } from './explore.ts';
import { type Fault, SimulatedProcess } from './simulation.ts';

/** What one host does, one step after another. */
export type Action =
  | { readonly assign: string; readonly families?: readonly Family[] }
  | { readonly release: string };

export interface Scenario {
  /** Host name → its actions. */
  readonly hosts: Readonly<Record<string, readonly Action[]>>;
  /** CIDR → block size. */
  readonly pools: Readonly<Record<string, number>>;
  /** Done before the exploration begins, by the first host. */
  readonly before?: readonly Action[];
  /** Handles that two processes use at once, so that nobody can say who should hold what. */
  readonly shared?: readonly string[];
}

/** Stores IP pools. */
export async function storePools(
  datastore: Datastore,
  pools: Readonly<Record<string, number>>,
): Promise<void> {
  const operations = Object.entries(pools).map(([cidr, blockSize], i) => {
    const name = `pool${i}`;
    const object = {
      apiVersion: 'projectcalico.org/v3',
      kind: 'IPPool',
      metadata: { name },
      spec: { cidr, blockSize },
    };
    const value = JSON.stringify(object);
    return { type: 'put', key: resourceKey('IPPool', { name }), value } as const;
  });
  await datastore.transact({ conditions: [], operations });
}

/** A view of the datastore as it is now, that no watch will ever update: as stale as a view can be. */
export async function frozenView(node: string, datastore: Datastore): Promise<IpamView> {
  const view = new IpamView(node);
  await view.follow(async function* (prefix) {
    const { entries, revision } = await datastore.list(prefix);
    for (const entry of entries) yield { type: 'put', entry };
    yield { type: 'synced', revision };
  });
  return view;
}

/** Hosts that assign and release, each with a journal that survives its death. */
export class IpamWorld implements World {
  readonly processes: SimulatedProcess[] = [];
  readonly #store = new MemoryDatastore();
  readonly #fault: Fault | undefined;
  readonly #shared: ReadonlySet<string>;
  /** What each host's containers hold, as their journals say. */
  readonly #journals = new Map<string, Map<string, 'assigning' | 'held' | 'releasing'>>();
  readonly #holders = new Map<IpAddress, string>();
  readonly #violations: string[] = [];
  #restarted = new Set<SimulatedProcess>();
  #clock = Date.parse('2026-11-24T06:00:00Z');

  private constructor({ shared }: Scenario, fault: Fault | undefined) {
    this.#shared = new Set(shared);
    this.#fault = fault;
  }

  static async start(scenario: Scenario, fault?: Fault): Promise<IpamWorld> {
    const world = new IpamWorld(scenario, fault);
    await storePools(world.#store, scenario.pools);
    const [first = ''] = Object.keys(scenario.hosts);
    const ipam = await world.#ipamFor(first, world.#store);
    for (const action of scenario.before ?? []) await world.#act(first, ipam, action);
    for (const [host, actions] of Object.entries(scenario.hosts)) {
      await world.#startProcess(host, async (restarted) => {
        for (const action of actions) await world.#act(host, restarted, action);
      });
    }
    return world;
  }

  /** Restarts what died: as after a reboot, everything half done is undone. */
  async afterStep(): Promise<void> {
    for (const { name } of this.processes.filter(
      (p) => p.outcome === 'dead' && !this.#restarted.has(p),
    )) {
      for (const process of this.processes) if (process.name === name) this.#restarted.add(process);
      const unfinished = [...this.#journal(name)].filter(([, state]) => state !== 'held');
      await this.#startProcess(name, async (ipam) => {
        for (const [handle] of unfinished) await this.#act(name, ipam, { release: handle });
      });
    }
  }

  /** Checks everything that must hold when all is quiet. */
  async violations(): Promise<readonly string[]> {
    const found = [...this.#violations];
    for (const { name, outcome } of this.processes) {
      if (outcome === undefined) found.push(`${name} hangs`);
      else if (typeof outcome === 'object') found.push(`${name} failed: ${String(outcome.error)}`);
    }
    const stored = new Map<string, string>();
    const counts = new Map<string, number>();
    for (const { value } of await this.#list(blockPrefix())) {
      const block = readableBlock(value);
      const free = new Set(block.unallocated);
      block.allocations.forEach((index, ordinal) => {
        if ((index === null) !== free.has(ordinal)) found.push(`${block.cidr}: ${ordinal} is lost`);
      });
      const owner = block.affinity?.slice('host:'.length) ?? '';
      const claims = await this.#list(affinityPrefix('host', owner));
      const claim = claims.find(({ key }) => parseAffinityKey(key)?.cidr === block.cidr);
      if (!claim || decodeAffinity(claim.value).state !== 'confirmed') {
        found.push(`${block.cidr} of ${owner} is not confirmed`);
      }
      for (const { address, handle = '' } of allocationsOf(block)) {
        stored.set(address, handle);
        counts.set(`${handle} ${block.cidr}`, (counts.get(`${handle} ${block.cidr}`) ?? 0) + 1);
      }
    }
    for (const { key, value } of await this.#list(HANDLE_PREFIX)) {
      for (const [cidr, count] of Object.entries(decodeHandle(value).blocks)) {
        const counted = counts.get(`${parseHandleKey(key)} ${cidr}`) ?? 0;
        if (counted !== count)
          found.push(`${key} counts ${count} in ${cidr}, which has ${counted}`);
        counts.delete(`${parseHandleKey(key)} ${cidr}`);
      }
    }
    for (const key of counts.keys()) found.push(`${key} is held without a handle`);
    for (const { key } of await this.#list(affinityPrefix('host'))) {
      const claim = parseAffinityKey(key);
      const blocks = await this.#list(blockPrefix());
      const block = blocks
        .map(({ value }) => readableBlock(value))
        .find(({ cidr }) => cidr === claim?.cidr);
      if (block?.affinity !== `host:${claim?.owner.name}`) found.push(`${key} dangles`);
    }
    for (const [address, handle] of this.#holders) {
      if (this.#shared.has(handle)) continue;
      if (stored.get(address) !== handle) found.push(`${handle} lost ${address}`);
    }
    for (const [address, handle] of stored) {
      if (this.#shared.has(handle)) continue;
      if (!this.#holders.has(address as IpAddress)) found.push(`${address} of ${handle} leaked`);
    }
    return found;
  }

  async #list(prefix: string): Promise<readonly Entry[]> {
    return (await this.#store.list(prefix)).entries;
  }

  #journal(host: string): Map<string, 'assigning' | 'held' | 'releasing'> {
    const journal = this.#journals.get(host) ?? new Map();
    this.#journals.set(host, journal);
    return journal;
  }

  async #ipamFor(host: string, datastore: Datastore): Promise<Ipam> {
    const now = (): Date => new Date(this.#clock++);
    return createIpam({ datastore, node: host, view: await frozenView(host, this.#store), now });
  }

  async #startProcess(host: string, program: (ipam: Ipam) => Promise<void>): Promise<void> {
    const process = new SimulatedProcess(host, this.#store, this.#fault);
    const ipam = await this.#ipamFor(host, process.datastore);
    this.processes.push(process);
    process.start(() => program(ipam));
  }

  async #act(host: string, ipam: Ipam, action: Action): Promise<void> {
    const journal = this.#journal(host);
    if ('release' in action) {
      journal.set(action.release, 'releasing');
      for (const [address, handle] of this.#holders) {
        if (handle === action.release) this.#holders.delete(address);
      }
      await untilAnswered(() => ipam.release(action.release));
      journal.delete(action.release);
      return;
    }
    journal.set(action.assign, 'assigning');
    try {
      const { addresses } = await ipam.assign({
        handle: action.assign,
        families: action.families ?? ['ipv4'],
        attributes: { node: host },
      });
      for (const address of addresses) {
        const holder = this.#holders.get(address);
        if (holder && holder !== action.assign)
          this.#violations.push(`${address} is given to ${action.assign} and ${holder}`);
        this.#holders.set(address, action.assign);
      }
      journal.set(action.assign, 'held');
    } catch (error) {
      if (error instanceof NoAddressError) journal.delete(action.assign);
      else if (error instanceof UnavailableError)
        await this.#act(host, ipam, { release: action.assign });
      else throw error;
    }
  }
}

async function untilAnswered(call: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await call();
      return;
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error;
    }
  }
}
