import { type Kernel, PROTOCOL, type Route } from '@overland/linux';
import { hostPrefix, type IpAddress } from '@overland/net';
import type { EndpointState, LocalState } from '../calc/local-state.ts';
import type { Clock } from './clock.ts';
import type { LinkTable } from './link-table.ts';
import { LOCAL_METRIC } from './local-routes.ts';
import { RetryQueue } from './retry-queue.ts';

export interface WorkloadInterfacesOptions {
  readonly kernel: Kernel;
  readonly clock: Clock;
  readonly links: LinkTable;
  /** Whether the endpoint's policy is in the packet filter: before that, its interface must not come up. */
  readonly isAllowed: (endpoint: EndpointState) => boolean;
}

/** The host's ends of workloads: settings and addresses first, then up. Their routes come last, elsewhere. */
export class WorkloadInterfaces {
  readonly #options: WorkloadInterfacesOptions;
  readonly #retries = new RetryQueue<string>();
  /** Interfaces that are set up, and for which endpoint on which link. */
  readonly #prepared = new Map<string, { readonly endpoint: string; readonly index: number }>();

  constructor(options: WorkloadInterfacesOptions) {
    this.#options = options;
  }

  /** Looks at the interface again: something about it changed. */
  doubt(interfaceName: string): void {
    this.#prepared.delete(interfaceName);
    this.#retries.forget(interfaceName);
  }

  /** Looks at all of them again. */
  doubtAll(): void {
    this.#prepared.clear();
    this.#retries.hurry();
  }

  /** Sets up what is not set up yet. One that fails does not stop the others. */
  async reconcile(endpoints: LocalState['endpoints']): Promise<unknown[]> {
    const { clock, links, isAllowed } = this.#options;
    const errors: unknown[] = [];
    this.#retries.takeDue(clock.now());
    for (const name of this.#prepared.keys()) if (!endpoints.has(name)) this.doubt(name);
    for (const { key } of this.#retries.entries()) if (!endpoints.has(key)) this.doubt(key);
    for (const [name, endpoint] of endpoints) {
      if (this.isPrepared(endpoint) || this.#retries.isWaiting(name)) continue;
      if (!links.get(name) || !isAllowed(endpoint)) continue;
      try {
        await this.#prepare(endpoint);
        this.#retries.forget(name);
      } catch (error) {
        errors.push(error);
        this.#retries.failed(name, error instanceof Error ? error.message : 'failed', clock.now());
      }
    }
    return errors;
  }

  /** Whether the endpoint's interface is there, set up and up. */
  isPrepared(endpoint: EndpointState): boolean {
    const { interfaceName } = endpoint;
    const prepared = this.#prepared.get(interfaceName);
    return (
      prepared !== undefined &&
      prepared.endpoint === fingerprint(endpoint) &&
      prepared.index === this.#options.links.get(interfaceName)?.index
    );
  }

  /** Interfaces whose setting-up failed, and why. */
  get retries(): RetryQueue<string> {
    return this.#retries;
  }

  async #prepare(endpoint: EndpointState): Promise<void> {
    const { kernel, links } = this.#options;
    const { interfaceName, mtu } = endpoint;
    const link = links.get(interfaceName);
    if (!link) return;
    for (const [key, value] of endpoint.sysctls) {
      const current = await kernel.sysctls.get(key);
      // Absent: a kernel without IPv6, say.
      if (current !== undefined && current !== value) await kernel.sysctls.set(key, value);
    }
    for (const address of endpoint.addresses) {
      if (links.hasAddress(interfaceName, address)) continue;
      await kernel.links.addAddress(interfaceName, address, { probe: false });
    }
    if (mtu !== undefined && link.mtu !== mtu) await kernel.links.set(interfaceName, { mtu });
    if (!link.up) await kernel.links.set(interfaceName, { up: true });
    this.#prepared.set(interfaceName, { endpoint: fingerprint(endpoint), index: link.index });
  }
}

/** Routes to the endpoint's addresses. The kernel takes them only once the interface is up. */
export function endpointRoutes(
  endpoint: EndpointState,
  sourceOf: (address: IpAddress) => IpAddress | undefined,
): Route[] {
  return endpoint.workloadAddresses.map((address) => {
    const source = sourceOf(address);
    return {
      destination: hostPrefix(address),
      metric: LOCAL_METRIC,
      protocol: PROTOCOL.local,
      target: { type: 'device', device: endpoint.interfaceName },
      ...(source === undefined ? {} : { source }),
    };
  });
}

/** Blackholes of own blocks. */
export function blackholeRoutes({ blackholes }: LocalState): Route[] {
  return blackholes.map((destination) => ({
    destination,
    metric: LOCAL_METRIC,
    protocol: PROTOCOL.local,
    target: { type: 'blackhole' },
  }));
}

/** What an endpoint says never changes, and all of them are asked about after each change of anything. */
const fingerprints = new WeakMap<EndpointState, string>();

function fingerprint(endpoint: EndpointState): string {
  let text = fingerprints.get(endpoint);
  if (text === undefined) {
    text = JSON.stringify(endpoint);
    fingerprints.set(endpoint, text);
  }
  return text;
}
