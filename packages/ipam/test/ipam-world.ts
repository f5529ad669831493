import {
  type Datastore,
  type Entry,
  MemoryDatastore,
  type Operation,
  UnavailableError,
} from '@overland/datastore';
import {
  affinityPrefix,
  blockPrefix,
  decodeAffinity,
  decodeHandle,
  HANDLE_PREFIX,
  IPAM_CONFIG_KEY,
  parseAffinityKey,
  parseHandleKey,
  resourceKey,
} from '@overland/model';
import { type Family, type IpAddress, parsePrefix } from '@overland/net';
import { allocationsOf, readableBlock } from '../src/block.ts';
import { createCollector } from '../src/collect/collector.ts';
import { describeFinding } from '../src/collect/describe-finding.ts';
import { findingsOf } from '../src/collect/findings.ts';
import { takeSurvey } from '../src/collect/survey.ts';
import { NoAddressError } from '../src/errors.ts';
import { createIpam, type Ipam } from '../src/ipam.ts';
import { createIpamAdmin } from '../src/ipam-admin.ts';
import { IpamView } from '../src/view.ts';
import type { World } from './explore.ts';
import { type Fault, SimulatedProcess } from './simulation.ts';

/** What one host does, one step after another. */
export type Action =
  | { readonly assign: string; readonly families?: readonly Family[]; readonly count?: number }
  | { readonly release: string }
  /** Address by address, each with what was seen of it. */
  | { readonly releaseSingly: string }
  | { readonly call: 'ensureBlock' | 'spareBlock' | 'giveUpBlocks' }
  /** Of an operator: gives up all blocks of a host, or of a pool. */
  | { readonly giveUpHost: string }
  | { readonly giveUpPool: string }
  /** Of a collector without patience: two looks, one right after the other. */
  | { readonly collect: true };

export interface Scenario {
  /** Host name → its actions. */
  readonly hosts: Readonly<Record<string, readonly Action[]>>;
  /** CIDR → block size. */
  readonly pools: Readonly<Record<string, number>>;
  /** Done before the exploration begins, by the first host. */
  readonly before?: readonly Action[];
  /** Default: Calico's defaults. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Nodes that are gone: a collector takes what they hold. Default: none. */
  readonly gone?: readonly string[];
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
  readonly #gone: ReadonlySet<string>;
  /** What each host's containers hold, as their journals say. */
  readonly #journals = new Map<string, Map<string, 'assigning' | 'held' | 'releasing'>>();
  readonly #holders = new Map<IpAddress, string>();
  readonly #violations: string[] = [];
  #restarted = new Set<SimulatedProcess>();
  #clock = Date.parse('2026-11-24T06:00:00Z');

  private constructor({ shared = [], gone = [] }: Scenario, fault: Fault | undefined) {
    this.#shared = new Set(shared);
    this.#gone = new Set(gone);
    this.#fault = fault;
  }

  static async start(scenario: Scenario, fault?: Fault): Promise<IpamWorld> {
    const world = new IpamWorld(scenario, fault);
    await storePools(world.#store, scenario.pools);
    await world.#storeCluster(scenario);
    const [first = ''] = Object.keys(scenario.hosts);
    const ipam = await world.#ipamFor(first, world.#store);
    for (const action of scenario.before ?? []) await world.#act(first, ipam, action, world.#store);
    for (const [host, actions] of Object.entries(scenario.hosts)) {
      await world.#startProcess(host, async (restarted, datastore) => {
        for (const action of actions) await world.#act(host, restarted, action, datastore);
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
      await this.#startProcess(name, async (ipam, datastore) => {
        for (const [handle] of unfinished)
          await this.#act(name, ipam, { release: handle }, datastore);
      });
    }
  }

  /** Checks everything that must hold when all is quiet, and again when garbage has been collected. */
  async violations(): Promise<readonly string[]> {
    const found = [...this.#violations];
    for (const { name, outcome } of this.processes) {
      if (outcome === undefined) found.push(`${name} hangs`);
      else if (typeof outcome === 'object') found.push(`${name} failed: ${String(outcome.error)}`);
    }
    found.push(...(await this.#inconsistencies()));
    await this.#collect(this.#store);
    for (const violation of await this.#inconsistencies()) found.push(`collected: ${violation}`);
    const survey = await takeSurvey(this.#store, new Date(this.#clock));
    for (const finding of findingsOf(survey)) {
      if (finding.type !== 'not-in-use') found.push(`left over: ${describeFinding(finding)}`);
    }
    return found;
  }

  async #inconsistencies(): Promise<readonly string[]> {
    const found: string[] = [];
    const stored = new Map<string, string>();
    const counts = new Map<string, number>();
    for (const { value } of await this.#list(blockPrefix())) {
      const block = readableBlock(value);
      const free = new Set(block.unallocated);
      block.allocations.forEach((index, ordinal) => {
        if ((index === null) !== free.has(ordinal)) found.push(`${block.cidr}: ${ordinal} is lost`);
      });
      for (const { address, handle = '' } of allocationsOf(block)) {
        stored.set(address, handle);
        counts.set(`${handle} ${block.cidr}`, (counts.get(`${handle} ${block.cidr}`) ?? 0) + 1);
      }
      // Given up with addresses in use: it has no owner until they are released, and collected then.
      if (block.affinity === undefined) continue;
      const owner = block.affinity.slice('host:'.length);
      const claims = await this.#list(affinityPrefix('host', owner));
      const claim = claims.find(({ key }) => parseAffinityKey(key)?.cidr === block.cidr);
      if (!claim || decodeAffinity(claim.value).state !== 'confirmed') {
        found.push(`${block.cidr} of ${owner} is not confirmed`);
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

  /** Until nothing is left to repair: what one round frees, the next may give up. */
  async #collect(datastore: Datastore): Promise<void> {
    const now = (): Date => new Date(this.#clock++);
    const collector = createCollector({ datastore, now, graceSeconds: 0 });
    for (let round = 0; round < 6; round++) {
      const { repaired } = await collector.collect();
      if (round > 1 && repaired.length === 0) return;
    }
  }

  async #storeCluster({ hosts, config }: Scenario): Promise<void> {
    const operations: Operation[] = Object.keys(hosts)
      .filter((name) => !this.#gone.has(name))
      .map((name) => {
        const metadata = { name };
        const node = { apiVersion: 'projectcalico.org/v3', kind: 'Node', metadata, spec: {} };
        return { type: 'put', key: resourceKey('Node', metadata), value: JSON.stringify(node) };
      });
    if (config) {
      operations.push({ type: 'put', key: IPAM_CONFIG_KEY, value: JSON.stringify(config) });
    }
    await this.#store.transact({ conditions: [], operations });
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
    const view = await frozenView(host, this.#store);
    return createIpam({ datastore, node: host, view, now: () => new Date(this.#clock++) });
  }

  async #startProcess(
    host: string,
    program: (ipam: Ipam, datastore: Datastore) => Promise<void>,
  ): Promise<void> {
    const process = new SimulatedProcess(host, this.#store, this.#fault);
    const ipam = await this.#ipamFor(host, process.datastore);
    this.processes.push(process);
    process.start(() => program(ipam, process.datastore));
  }

  async #act(host: string, ipam: Ipam, action: Action, datastore: Datastore): Promise<void> {
    if ('assign' in action) await this.#assign(host, ipam, action, datastore);
    else if ('release' in action) {
      await this.#release(host, action.release, () => ipam.release(action.release));
    } else if ('releaseSingly' in action) {
      await this.#release(host, action.releaseSingly, async () => {
        const held = await ipam.allocationsByHandle(action.releaseSingly);
        await ipam.releaseAddresses(
          held.map(({ address, handle = '', sequence }) => ({ address, handle, sequence })),
        );
      });
    } else await untilAnswered(() => this.#manage(host, ipam, action, datastore));
  }

  async #manage(host: string, ipam: Ipam, action: Action, datastore: Datastore): Promise<void> {
    const admin = createIpamAdmin({ datastore, now: () => new Date(this.#clock++) });
    if ('collect' in action) await this.#collect(datastore);
    else if ('giveUpHost' in action) await drain(admin.giveUpHost(action.giveUpHost));
    else if ('giveUpPool' in action) {
      await drain(admin.giveUpPool(parsePrefix(action.giveUpPool)));
    } else if ('call' in action && action.call === 'giveUpBlocks') {
      for (const cidr of await ipam.blocksOf(host)) await ipam.giveUp(cidr);
    } else if ('call' in action && action.call === 'spareBlock') await ipam.spareBlock('ipv4');
    else await ipam.ensureBlock('ipv4');
  }

  async #release(host: string, handle: string, call: () => Promise<unknown>): Promise<void> {
    this.#journal(host).set(handle, 'releasing');
    for (const [address, holder] of this.#holders) {
      if (holder === handle) this.#holders.delete(address);
    }
    await untilAnswered(call);
    this.#journal(host).delete(handle);
  }

  async #assign(
    host: string,
    ipam: Ipam,
    { assign: handle, families = ['ipv4'], count = 1 }: Extract<Action, { assign: string }>,
    datastore: Datastore,
  ): Promise<void> {
    const journal = this.#journal(host);
    journal.set(handle, 'assigning');
    try {
      const { addresses } = await ipam.assign({
        handle,
        families,
        count,
        attributes: { node: host },
      });
      for (const address of addresses) {
        const holder = this.#holders.get(address);
        if (holder && holder !== handle)
          this.#violations.push(`${address} is given to ${handle} and ${holder}`);
        this.#holders.set(address, handle);
      }
      journal.set(handle, 'held');
    } catch (error) {
      if (error instanceof NoAddressError) journal.delete(handle);
      else if (error instanceof UnavailableError)
        await this.#act(host, ipam, { release: handle }, datastore);
      else throw error;
    }
  }
}

async function drain(work: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of work);
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
