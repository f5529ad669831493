import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { type Datastore, honourLock, openDatastore, UnavailableError } from '@overland/datastore';
import type { FlowCounts, PolicyChange } from '@overland/felix';
import { createIpam, type Ipam, IpamView } from '@overland/ipam';
import type { AnyResource } from '@overland/model';
import { type Family, familyOf } from '@overland/net';
import {
  type AttachedWorkload,
  type AttachRequest,
  parseAttachRequest,
  parseDetachRequest,
} from '@overland/workloads';
import type { Logger } from 'pino';
import { BlockKeeper } from './block-keeper.ts';
import { parseBootstrap } from './bootstrap.ts';
import { CniService } from './cni-service.ts';
import { collectIfElected } from './collection.ts';
import { compactByPeriod } from './compaction.ts';
import type { DataplaneForStore } from './dataplane-methods.ts';
import { datastoreOptions } from './datastore-options.ts';
import { probeDatastore } from './datastore-probe.ts';
import { DatastoreReach } from './datastore-reach.ts';
import type { DockerService } from './docker/docker-service.ts';
import { flowEnds } from './flows/flow-ends.ts';
import type { DescribedFlows } from './flows/flow-record.ts';
import type { PartReport } from './health.ts';
import { addressesOf, blocksOf, ownEndpoints, pooledFamilies } from './host-view.ts';
import type { KernelMethods } from './kernel-channel.ts';
import { type HostInterfaces, nodeAddress } from './node-address.ts';
import { NodePublisher } from './node-publisher.ts';
import type { OwnNode } from './own-node.ts';
import { PolicyPublisher } from './policy-publisher.ts';
import { PolicySnapshot } from './policy-snapshot.ts';
import { prepareDatastore } from './prepare-datastore.ts';
import type { Config } from './settings.ts';
import { readSnapshot, writeSnapshot } from './snapshot.ts';
import { SnapshotKeeper } from './snapshot-keeper.ts';
import type { SpeakerForStore } from './speaker-methods.ts';
import type { AttachReply, DatastoreStatus, StoreMethods, StoreStatus } from './store-methods.ts';
import type { Remote } from './thread-rpc.ts';
import { WatchedEntries } from './watched-entries.ts';
import { watchedPrefixes } from './watched-prefixes.ts';
import { WorkloadService } from './workload-service.ts';

/** How long changes are gathered before they are written. */
const GATHER_MS = 500;

export interface StoreServiceOptions {
  readonly config: Config;
  readonly hostId: string;
  /** Documents of the bootstrap file. */
  readonly manifests: readonly unknown[];
  readonly interfaces: HostInterfaces;
  readonly log: Logger;
  readonly speaker: Remote<SpeakerForStore>;
  readonly dataplane: Remote<DataplaneForStore & KernelMethods>;
  /** Of the links that lead out, octets; `undefined`: there is none. */
  readonly uplinkMtu: () => number | undefined;
}

/**
 * This host's dealings with the datastore. Comes up with it, or after a short wait from the last snapshot; when
 * the datastore answers then, what it says replaces the snapshot in one step.
 */
export class StoreService {
  readonly #options: StoreServiceOptions;
  readonly #stop = new AbortController();
  readonly #reach = new DatastoreReach();
  readonly #publisher: NodePublisher;
  readonly #policy: PolicyPublisher;
  readonly #snapshot: SnapshotKeeper<ReadonlyMap<string, string>>;
  readonly #policySnapshot: PolicySnapshot;
  readonly #watched: WatchedEntries;
  /** Stands in until the datastore has been read. */
  #snapshotEntries: ReadonlyMap<string, string> | undefined;
  #announcedSync = false;
  /** Whether what has been read counts: before, no pool would be known, and a container would get no address. */
  #isTakenOver = false;
  #gone: ReadonlySet<string> = new Set();
  /** What the publisher has been given last of what the datastore says. */
  #given: { readonly version: number; readonly gone: ReadonlySet<string> } | undefined;
  #publishing: Promise<void> | undefined;
  #dirty = false;
  #keeper: BlockKeeper | undefined;
  #workloads: WorkloadService | undefined;
  #cni: CniService | undefined;
  #docker: DockerService | undefined;

  constructor(options: StoreServiceOptions) {
    const { config, log, speaker, dataplane } = options;
    this.#options = options;
    const ports = {
      setLocalState: dataplane.setLocalState,
      configure: speaker.configure,
      gone: () => this.#gone,
    };
    this.#publisher = new NodePublisher(config, ports, log);
    const { nodeName } = config;
    const { setFilterMode } = dataplane;
    const path = `${config.stateDirectory}/policy-snapshot.json`;
    this.#policySnapshot = new PolicySnapshot({ path, nodeName, log });
    this.#policy = new PolicyPublisher({
      nodeName,
      log,
      beforeChange: ({ synced }: PolicyChange) =>
        synced ? this.#policySnapshot.outdate() : Promise.resolve(),
      changePolicy: (change: PolicyChange) => dataplane.changePolicy(change),
      setFilterMode,
    });
    this.#snapshot = new SnapshotKeeper({
      write: (entries) => writeSnapshot(this.#snapshotPath, { nodeName, entries: listed(entries) }),
      gatherMs: GATHER_MS,
      log,
    });
    this.#watched = new WatchedEntries(watchedPrefixes(nodeName), {
      onChange: () => this.#changed(),
      onPolicy: (key, value) => this.#policy.update(key, value),
    });
  }

  get #snapshotPath(): string {
    return `${this.#options.config.stateDirectory}/snapshot.json`;
  }

  /**
   * Resolves when the speaker and the dataplane are about to have something to go by: the datastore's entries or
   * the snapshot's. A host without either waits on.
   *
   * @throws {ConfigError} If the bootstrap file is faulty.
   * @throws {NodeNameTakenError} If another host has the node's name.
   * @throws {UnusableError} If what is stored cannot be used.
   */
  async start(): Promise<void> {
    const { config, manifests } = this.#options;
    const online = this.#goOnline(parseBootstrap(manifests, config.bootstrapFile));
    const late = delay(config.datastoreWaitSeconds * 1000, 'late' as const, { ref: false });
    if ((await Promise.race([online, late])) === 'late') await this.#startFromSnapshot();
    online.catch(endThread);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    this.#publisher.stop();
    this.#keeper?.stop();
    await this.#snapshot.flush();
    await this.#policySnapshot.flush();
  }

  methods(): StoreMethods {
    return {
      health: () => this.#health(),
      status: () => this.#status(),
      blocks: () => blocksOf(this.#publisher.resources, this.#options.config.nodeName),
      attach: (body) => this.#attachAndSay(parseAttachRequest(body)),
      detach: (containerId, name) =>
        this.#started(this.#workloads).detach(parseDetachRequest({ containerId, interface: name })),
      cni: (call) => this.#started(this.#cni).answer(call),
      docker: (path, body) => this.#started(this.#docker).answer(path, body),
      listWorkloads: () => this.#started(this.#workloads).list(),
      programmedEndpoint: (text) => this.#policy.programmed(text),
      describeFlows: (counts) => this.#describeFlows(counts),
    };
  }

  async #goOnline(manifests: readonly AnyResource[]): Promise<void> {
    const { config, hostId, log } = this.#options;
    const { signal } = this.#stop;
    const store = await openDatastore(datastoreOptions(config));
    const datastore = this.#reach.observe(honourLock(store));
    const claim = { uuid: hostId, hostname: hostname() };
    const ipam = this.#startIpam(datastore);
    const workloads = await this.#openWorkloads(datastore, ipam);
    const own = this.#ownNode();
    await prepareDatastore(datastore, { config, claim, own, manifests, log }, signal);
    // Not before the name is ours: it gives back whatever of this node is in no journal, and another host of the
    // name would lose all of its containers.
    await workloads.recover();
    workloads.run(signal).catch(endThread);
    this.#startCni(datastore, ipam, workloads).run(signal).catch(endThread);
    if (config.dockerPluginSocket !== undefined) {
      (await this.#openDocker(datastore, ipam, workloads)).run(signal).catch(endThread);
    }
    this.#watched.run(datastore, signal).catch(endThread);
    const probe = { nodeName: config.nodeName, claim, reach: this.#reach, log };
    probeDatastore(datastore, probe, signal).catch(endThread);
    const { nodeName } = config;
    const shared = { datastore: honourLock(store), nodeName, log };
    collectIfElected(shared, signal).catch(endThread);
    if (config.datastoreType === 'etcd') {
      compactByPeriod({ datastore: store, nodeName, log }, signal).catch(endThread);
    }
  }

  #startIpam(datastore: Datastore): Ipam {
    const { config, log } = this.#options;
    const view = new IpamView(config.nodeName);
    view.follow((prefix) => datastore.watch(prefix, this.#stop.signal)).catch(endThread);
    const ipam = createIpam({ datastore, node: config.nodeName, view, now: () => new Date() });
    void view.synced.then(() => {
      this.#keeper = new BlockKeeper(ipam, log);
      if (this.#watched.synced) this.#keeper.check(this.#publisher.resources);
    });
    return ipam;
  }

  async #openWorkloads(datastore: Datastore, ipam: Ipam): Promise<WorkloadService> {
    const workloads = await WorkloadService.open({
      ...this.#options,
      datastore,
      ipam,
      families: () => pooledFamilies(this.#publisher.resources),
      blocks: () => this.#publisher.resources.blocks.map(({ cidr }) => cidr),
      onDeparted: (hostInterfaces) => {
        this.#gone = hostInterfaces;
        this.#changed();
      },
    });
    this.#workloads = workloads;
    return workloads;
  }

  /** Not before recovery: a DEL that has waited meets what is there. */
  #startCni(datastore: Datastore, ipam: Ipam, workloads: WorkloadService): CniService {
    const { config, log } = this.#options;
    this.#cni = new CniService({
      node: config.nodeName,
      datastore,
      ipam,
      log,
      stateDirectory: config.stateDirectory,
      workloads: {
        attach: (request) => this.#attach(request),
        detach: (key) => workloads.detach(key),
        check: (key) => workloads.check(key),
        list: () => workloads.list(),
      },
      families: () => pooledFamilies(this.#publisher.resources),
      fault: () => (this.#isTakenOver ? this.#reach.fault : this.#health().detail),
    });
    return this.#cni;
  }

  async #openDocker(
    datastore: Datastore,
    ipam: Ipam,
    workloads: WorkloadService,
  ): Promise<DockerService> {
    const { config, log, speaker, dataplane } = this.#options;
    const { nodeName: node, stateDirectory, dockerApiSocket } = config;
    // Few hosts have it, and what it needs takes memory.
    const { DockerService } = await import('./docker/docker-service.ts');
    this.#docker = await DockerService.open({
      node,
      datastore,
      ipam,
      log,
      stateDirectory,
      apiSocket: dockerApiSocket === 'none' ? undefined : dockerApiSocket,
      workloads: {
        attach: (request) => this.#attach(request),
        detach: (key) => workloads.detach(key),
        identify: (key, identity) => workloads.identify(key, identity),
      },
      pools: () =>
        this.#publisher.resources
          .all('IPPool')
          .map(({ metadata, spec }) => ({ name: metadata.name, cidr: spec.cidr })),
      isReady: () => this.#isTakenOver,
      offered: (routes) => speaker.offered(routes, config.offerWaitSeconds * 1000),
      acceptForwarding: () => dataplane.acceptInDockerUser(),
    });
    return this.#docker;
  }

  async #attachAndSay(request: AttachRequest): Promise<AttachReply> {
    const attached = await this.#attach(request);
    const announced = await this.#started(this.#workloads).isAnnounced(attached);
    return { ...attached, announced };
  }

  async #attach(request: AttachRequest): Promise<AttachedWorkload> {
    if (!this.#isTakenOver) throw new UnavailableError(this.#health().detail);
    const attached = await this.#started(this.#workloads).attach(request);
    // Not waited for: the next container is the one that will need it.
    void this.#keeper?.keepSpare([...new Set(attached.addresses.map(familyOf))]);
    return attached;
  }

  #started<T>(service: T | undefined): T {
    if (service) return service;
    throw new UnavailableError('the datastore is still being opened');
  }

  async #startFromSnapshot(): Promise<void> {
    const { config, log } = this.#options;
    const snapshot = await readSnapshot(this.#snapshotPath, config.nodeName);
    const policy = await this.#policySnapshot.read();
    if (this.#watched.synced) return;
    if (!snapshot) {
      log.warn('datastore does not answer and there is no snapshot: waiting');
      return;
    }
    const { length } = snapshot.entries;
    log.warn({ entries: length }, 'datastore does not answer: starting from the snapshot');
    if (policy === 'outdated') {
      log.warn('the packet filter knows more than the snapshot of the policy: it stays as it is');
    } else if (policy) await this.#policy.publishSnapshot(policy);
    this.#snapshotEntries = new Map(snapshot.entries.map(({ key, value }) => [key, value]));
    this.#changed();
  }

  /** Publishes what there is now: once for the changes of one turn, and for those that come meanwhile. */
  #changed(): void {
    this.#dirty = true;
    this.#publishing ??= this.#publishWhileDirty().finally(() => {
      this.#publishing = undefined;
    });
  }

  async #publishWhileDirty(): Promise<void> {
    while (this.#dirty && !this.#stop.signal.aborted) {
      await new Promise((resolve) => setImmediate(resolve));
      this.#dirty = false;
      if (this.#watched.synced) await this.#publishStored();
      else if (this.#snapshotEntries) await this.#publisher.publish(this.#snapshotEntries, false);
    }
  }

  async #publishStored(): Promise<void> {
    if (!this.#announcedSync) this.#options.log.info('in sync with the datastore');
    this.#announcedSync = true;
    this.#snapshotEntries = undefined;
    // Before the endpoints, which wait for it. Messages come in order: nothing has to be answered in between.
    if (await this.#policy.publish()) this.#policySnapshot.changed(this.#policy);
    const given = { version: this.#watched.version, gone: this.#gone };
    // Most changes of a cluster are policy's alone, and working out all of this host anew costs more than they do.
    if (given.version === this.#given?.version && given.gone === this.#given.gone) {
      await this.#policy.taken;
      return;
    }
    this.#given = given;
    this.#snapshot.changed(this.#watched.entries);
    const published = this.#publisher.publish(this.#watched.entries, true);
    this.#isTakenOver = true;
    await Promise.all([this.#policy.taken, published]);
    this.#keeper?.check(this.#publisher.resources);
  }

  get #state(): DatastoreStatus['state'] {
    const { fault, isLocked } = this.#reach;
    if (this.#watched.synced && fault !== undefined) return isLocked ? 'locked' : 'unreachable';
    if (this.#watched.synced) return 'synced';
    return this.#snapshotEntries ? 'snapshot' : 'connecting';
  }

  #ownNode(): OwnNode {
    const { config, interfaces } = this.#options;
    const address = (family: Family) =>
      config[family] === 'none' ? null : nodeAddress(family, config[family], interfaces);
    return {
      name: config.nodeName,
      asNumber: config.asNumber,
      ipv4: address('ipv4'),
      ipv6: address('ipv6'),
      labels: config.labels,
    };
  }

  #describeFlows(counts: readonly FlowCounts[]): DescribedFlows {
    const { flows, addresses, holders } = this.#policy.describe(counts);
    const ends = flowEnds(addresses, holders, this.#publisher.resources.all('Node'));
    return { flows, ends };
  }

  #health(): PartReport {
    const { fault, isLocked } = this.#reach;
    if (this.#isTakenOver) {
      // Still ready: everything but attaching new containers goes on.
      const trouble = isLocked ? fault : fault && `outage: ${fault}`;
      const detail = trouble ?? 'in sync with the datastore';
      return { ready: true, detail };
    }
    const from = this.#state === 'snapshot' ? 'running from the snapshot' : 'not started';
    return { ready: false, detail: `${from}: ${fault ?? 'waiting for the datastore'}` };
  }

  #status(): StoreStatus {
    const { config, hostId } = this.#options;
    const { resources, problems } = this.#publisher;
    const lastError = this.#reach.fault;
    return {
      nodeName: config.nodeName,
      hostId,
      addresses: addressesOf(resources, config.nodeName),
      datastore: {
        type: config.datastoreType,
        state: this.#state,
        ...(lastError === undefined ? {} : { lastError }),
      },
      endpoints: ownEndpoints(resources, config.nodeName).length,
      problems: [...problems, ...this.#policy.problems()],
    };
  }
}

function listed(entries: ReadonlyMap<string, string>) {
  return [...entries].map(([key, value]) => ({ key, value }));
}

/** What cannot be mended ends the thread, and with it the process. */
function endThread(error: unknown): void {
  if (error instanceof Error && error.name === 'AbortError') return;
  setImmediate(() => {
    throw error;
  });
}
