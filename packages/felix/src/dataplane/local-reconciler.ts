import type { Kernel, KernelEvent, Route } from '@overland/linux';
import { type Family, familyOf, type IpAddress, isWorkloadLink } from '@overland/net';
import type { Logger } from 'pino';
import type { EndpointState, LocalState } from '../calc/local-state.ts';
import type { PolicyChange } from '../calc/policy-change.ts';
import type { Clock } from './clock.ts';
import { ConnectionSweep } from './connection-sweep.ts';
import type { LinkTable } from './link-table.ts';
import { LocalRoutes } from './local-routes.ts';
import type { PolicyBackend } from './policy-backend.ts';
import { WorkloadBandwidth } from './workload-bandwidth.ts';
import { blackholeRoutes, endpointRoutes, WorkloadInterfaces } from './workload-interfaces.ts';

const FILTER_RETRY_MS = 1000;

export interface LocalReconcilerOptions {
  readonly kernel: Kernel;
  /** Absent: no workload comes up. */
  readonly policy?: PolicyBackend | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  readonly links: LinkTable;
}

/** Before the first state: nothing is wanted, and nothing may be removed. */
const NOTHING: LocalState = { synced: false, endpoints: new Map(), blackholes: [], sources: {} };

/**
 * The host's own workloads and blocks in the kernel. One order for everything: policy, the interface, its routes. So a
 * workload is never reachable before its policy is in place; one that leaves loses its policy, and with it every way.
 */
export class LocalReconciler {
  readonly #options: LocalReconcilerOptions;
  readonly #routes: LocalRoutes;
  readonly #interfaces: WorkloadInterfaces;
  readonly #bandwidth: WorkloadBandwidth;
  readonly #sweep: ConnectionSweep;
  readonly #isAllowed: (endpoint: EndpointState) => boolean;
  /** What policy is told next. Never while it writes: what it writes, and what is judged after it, is one state. */
  #policyChanges: PolicyChange[] = [];
  #state = NOTHING;
  #isDirty = true;
  #filterRetryMs: number | undefined;
  #filterFailure: string | undefined;

  constructor(options: LocalReconcilerOptions) {
    const { kernel, clock, links, policy } = options;
    this.#options = options;
    this.#routes = new LocalRoutes(kernel, clock);
    const isAllowed = ({ interfaceName, workloadAddresses }: EndpointState): boolean =>
      policy?.isEnforced(interfaceName, workloadAddresses) === true &&
      !this.#policyChanges.some((change) => change.endpoints.has(interfaceName));
    this.#isAllowed = isAllowed;
    this.#sweep = new ConnectionSweep(kernel.conntrack, (address) => links.isLocal(address));
    this.#bandwidth = new WorkloadBandwidth({ kernel, clock, links });
    // What is up already stays up while a new limit fails: it has been reachable all along.
    const mayBeUp = (endpoint: EndpointState): boolean =>
      isAllowed(endpoint) &&
      (links.get(endpoint.interfaceName)?.up === true || this.#bandwidth.isKept(endpoint));
    this.#interfaces = new WorkloadInterfaces({ kernel, clock, links, isAllowed: mayBeUp });
  }

  setState(state: LocalState): void {
    this.#state = state;
    this.#isDirty = true;
  }

  /** Changes what the packet filter should hold. */
  changePolicy(change: PolicyChange): void {
    if (!this.#options.policy) return;
    this.#policyChanges.push(change);
    this.policyChanged();
  }

  /** What the packet filter should hold is another thing now. */
  policyChanged(): void {
    this.#isDirty = true;
  }

  /** Connections that were ended because policy forbids them, or because their address has left. */
  get endedConnections(): number {
    return this.#sweep.ended;
  }

  /** The preferred source of this host's own packets, if an interface of the host holds the address. */
  source(family: Family): IpAddress | undefined {
    const address = this.#state.sources[family];
    return address !== undefined && this.#options.links.isLocal(address) ? address : undefined;
  }

  /** Takes over a full listing of both families' routes; the rest is read again as well. */
  readBack(routes: Iterable<Route>): void {
    this.#routes.readBack(routes);
    this.#interfaces.doubtAll();
    this.#bandwidth.doubt();
    this.doubtFilter();
  }

  /** All links were read again: any of them may be another one. */
  linksRead(): void {
    this.#interfaces.doubtAll();
    this.#bandwidth.doubt();
    this.#isDirty = true;
  }

  /** Reads the packet filter again. */
  doubtFilter(): void {
    this.#options.policy?.doubt();
    this.#isDirty = true;
  }

  /** Takes note of an event, after the links have. @returns Whether work came of it. */
  observe(event: KernelEvent): boolean {
    const isDirty = this.#isAffected(event);
    this.#isDirty ||= isDirty;
    return isDirty;
  }

  #isAffected(event: KernelEvent): boolean {
    switch (event.type) {
      case 'route':
        return this.#routes.observe(event.route, event.removed);
      case 'link': {
        const { name, up } = event.link;
        if (!up) this.#forget(name);
        return isWorkloadLink(name);
      }
      case 'link-removed':
        this.#forget(event.name);
        this.#bandwidth.forget(event.name);
        return isWorkloadLink(event.name);
      case 'traffic-control':
        this.#bandwidth.doubt();
        return isWorkloadLink(event.device);
      case 'address':
        if (!event.removed) return this.#isSource(event.address.address);
        this.#routes.forgetSource(event.address.address);
        // With the last IPv4 address the kernel drops all IPv4 routes of the device, without a word.
        if (isWorkloadLink(event.device)) this.#forget(event.device);
        return true;
      default:
        return false;
    }
  }

  #forget(device: string): void {
    this.#routes.forgetDevice(device);
    this.#interfaces.doubt(device);
  }

  #isSource(address: IpAddress): boolean {
    return this.#state.sources[familyOf(address)] === address;
  }

  /** Makes the kernel agree, if anything changed or is due. @returns Whether anything was tried. */
  async step(): Promise<boolean> {
    const dueMs = this.nextDueMs();
    if (!this.#isDirty && !(dueMs !== undefined && dueMs <= this.#options.clock.now()))
      return false;
    this.#isDirty = false;
    const { endpoints, synced } = this.#state;
    await this.#reconcilePolicy();
    const errors = await this.#bandwidth.reconcile(endpoints, synced);
    errors.push(...(await this.#interfaces.reconcile(endpoints)));
    errors.push(...(await this.#routes.reconcile(this.#desiredRoutes(), synced)));
    const [first] = errors;
    if (first !== undefined) {
      const { log } = this.#options;
      log.warn(
        { err: first, count: errors.length },
        'local state could not be programmed; will retry',
      );
    }
    return true;
  }

  nextDueMs(): number | undefined {
    const due = [
      this.#filterRetryMs,
      this.#options.policy?.nextDueMs(),
      this.#interfaces.retries.nextDueMs(),
      this.#bandwidth.retries.nextDueMs(),
      this.#routes.retries.nextDueMs(),
    ].filter((time) => time !== undefined);
    return due.length > 0 ? Math.min(...due) : undefined;
  }

  /** Whether everything about the interface is in the kernel, for these addresses at least. */
  isReady(interfaceName: string, addresses: readonly IpAddress[]): boolean {
    const endpoint = this.#state.endpoints.get(interfaceName);
    return (
      endpoint !== undefined &&
      addresses.every((address) => endpoint.workloadAddresses.includes(address)) &&
      this.#isProgrammed(endpoint)
    );
  }

  counts(): LocalCounts {
    const endpoints = [...this.#state.endpoints.values()];
    const waiting = endpoints.filter((endpoint) => !this.#isProgrammed(endpoint));
    return {
      synced: this.#state.synced,
      endpoints: endpoints.length,
      waiting: waiting.map(({ interfaceName }) => interfaceName),
      routes: this.#routes.counts(),
    };
  }

  *failures(): Generator<{
    readonly what: string;
    readonly attempts: number;
    readonly reason: string;
  }> {
    if (this.#filterFailure !== undefined) {
      yield { what: 'packet filter', attempts: 1, reason: this.#filterFailure };
    }
    yield* this.#options.policy?.failures() ?? [];
    for (const { key, ...failure } of this.#interfaces.retries.entries()) {
      yield { what: `interface ${key}`, ...failure };
    }
    for (const { key, ...failure } of this.#bandwidth.retries.entries()) {
      yield { what: `bandwidth of ${key}`, ...failure };
    }
    for (const { key, ...failure } of this.#routes.retries.entries()) {
      yield { what: `route ${key}`, ...failure };
    }
  }

  #isProgrammed(endpoint: EndpointState): boolean {
    return (
      this.#interfaces.isPrepared(endpoint) &&
      this.#isAllowed(endpoint) &&
      this.#bandwidth.isKept(endpoint) &&
      this.#endpointRoutes(endpoint).every((route) => this.#routes.isProgrammed(route))
    );
  }

  #desiredRoutes(): Route[] {
    const ready = [...this.#state.endpoints.values()].filter((endpoint) =>
      this.#interfaces.isPrepared(endpoint),
    );
    return [
      ...blackholeRoutes(this.#state),
      ...ready.flatMap((endpoint) => this.#endpointRoutes(endpoint)),
    ];
  }

  #endpointRoutes(endpoint: EndpointState): Route[] {
    return endpointRoutes(endpoint, (address) => this.source(familyOf(address)));
  }

  async #reconcilePolicy(): Promise<void> {
    const { clock, log, policy } = this.#options;
    if (!policy) return;
    for (const change of this.#policyChanges) {
      this.#sweep.note(change, policy.state);
      policy.accept(change);
    }
    this.#policyChanges = [];
    try {
      await policy.reconcile();
      // Before an interface comes up, and after no new one of these can begin.
      await this.#sweep.run(policy.state);
      this.#filterRetryMs = undefined;
      this.#filterFailure = undefined;
    } catch (error) {
      this.#filterRetryMs = clock.now() + FILTER_RETRY_MS;
      this.#filterFailure = error instanceof Error ? error.message : 'failed';
      log.error({ err: error }, 'packet filter could not be programmed; new workloads wait');
    }
  }
}

export interface LocalCounts {
  readonly synced: boolean;
  readonly endpoints: number;
  /** Interfaces that are wanted and not fully programmed, or not there. */
  readonly waiting: readonly string[];
  readonly routes: {
    readonly wanted: number;
    readonly programmed: number;
    readonly conflicts: number;
  };
}
