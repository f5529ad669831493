import { type Kernel, KernelError, type ShapedLink } from '@overland/linux';
import { WORKLOAD_LINK } from '@overland/net';
import type { BandwidthLimit } from '../calc/bandwidth.ts';
import type { EndpointState, LocalState } from '../calc/local-state.ts';
import type { Clock } from './clock.ts';
import type { LinkTable } from './link-table.ts';
import { RetryQueue } from './retry-queue.ts';
import { isSameBucket, tokenBucketOf } from './token-bucket.ts';

export interface WorkloadBandwidthOptions {
  readonly kernel: Kernel;
  readonly clock: Clock;
  readonly links: LinkTable;
}

/**
 * How much workloads may receive and send (decision 0290): a token bucket at the host's end of the veth for what they receive,
 * and one at an ifb, through which what they send is led, for the other way.
 */
export class WorkloadBandwidth {
  readonly #options: WorkloadBandwidthOptions;
  readonly #retries = new RetryQueue<string>();
  /** As last read, with what was changed since. */
  readonly #actual = new Map<string, ShapedLink>();
  #isInDoubt = true;

  constructor(options: WorkloadBandwidthOptions) {
    this.#options = options;
  }

  /** Reads everything again: something changed. */
  doubt(): void {
    this.#isInDoubt = true;
  }

  /** The interface is gone, and its limits with it: one of its name begins without. */
  forget(device: string): void {
    this.#actual.delete(device);
    this.#retries.forget(device);
  }

  /**
   * Puts right what is not as it should be. One that fails does not stop the others.
   *
   * @param synced Whether what no endpoint wants may go.
   */
  async reconcile(endpoints: LocalState['endpoints'], synced: boolean): Promise<unknown[]> {
    const { clock, links } = this.#options;
    const errors: unknown[] = [];
    this.#retries.takeDue(clock.now());
    for (const { key } of this.#retries.entries())
      if (!endpoints.has(key)) this.#retries.forget(key);
    if (this.#isInDoubt) await this.#read();
    for (const [name, endpoint] of endpoints) {
      if (this.isKept(endpoint)) this.#retries.forget(name);
      else if (links.get(name) && !this.#retries.isWaiting(name))
        await this.#tryToKeep(endpoint, errors);
    }
    if (synced) errors.push(...(await this.#removeLeftovers(endpoints)));
    return errors;
  }

  /** Whether the endpoint's limits are in the kernel, and no others of ours. */
  isKept({ interfaceName, bandwidth, mtu }: EndpointState): boolean {
    const { links } = this.#options;
    const link = links.get(interfaceName);
    if (!link) return bandwidth === undefined;
    const egressLink = egressLinkOf(interfaceName);
    const { bucket, redirect } = this.#actual.get(interfaceName) ?? {};
    const has = (limit: BandwidthLimit | undefined, actual: ShapedLink['bucket']): boolean =>
      limit ? isSameBucket(tokenBucketOf(limit, mtu ?? link.mtu), actual) : actual === undefined;
    if (!has(bandwidth?.ingress, bucket)) return false;
    if (!bandwidth?.egress) return redirect === undefined && !links.get(egressLink);
    return (
      redirect === egressLink &&
      links.get(egressLink)?.up === true &&
      has(bandwidth.egress, this.#actual.get(egressLink)?.bucket)
    );
  }

  /** Interfaces whose limits could not be set, and why. */
  get retries(): RetryQueue<string> {
    return this.#retries;
  }

  async #tryToKeep(endpoint: EndpointState, errors: unknown[]): Promise<void> {
    const { interfaceName } = endpoint;
    try {
      await this.#apply(endpoint);
      this.#retries.forget(interfaceName);
    } catch (error) {
      errors.push(error);
      const reason = error instanceof Error ? error.message : 'failed';
      this.#retries.failed(interfaceName, reason, this.#options.clock.now());
    }
  }

  async #read(): Promise<void> {
    this.#isInDoubt = false;
    try {
      const shaped = await this.#options.kernel.trafficControl.list();
      this.#actual.clear();
      for (const link of shaped) this.#actual.set(link.device, link);
    } catch (error) {
      this.#isInDoubt = true;
      throw error;
    }
  }

  async #apply({ interfaceName, bandwidth, mtu }: EndpointState): Promise<void> {
    const { kernel, links } = this.#options;
    const octets = mtu ?? links.get(interfaceName)?.mtu ?? 0;
    await this.#shape(interfaceName, bandwidth?.ingress, octets);
    const egressLink = egressLinkOf(interfaceName);
    if (bandwidth?.egress) {
      await this.#makeEgressLink(egressLink);
      await this.#shape(egressLink, bandwidth.egress, octets);
      await kernel.links.set(egressLink, { up: true });
      if (this.#actual.get(interfaceName)?.redirect !== egressLink)
        await kernel.trafficControl.redirect(interfaceName, egressLink);
      this.#note(interfaceName, { redirect: egressLink });
      return;
    }
    // In this order: what is led to a link that is gone is lost.
    await kernel.trafficControl.unredirect(interfaceName);
    this.#note(interfaceName, { redirect: undefined });
    if (links.get(egressLink)) await this.#removeEgressLink(egressLink);
  }

  async #shape(device: string, limit: BandwidthLimit | undefined, mtu: number): Promise<void> {
    const { trafficControl } = this.#options.kernel;
    const actual = this.#actual.get(device)?.bucket;
    const bucket = limit && tokenBucketOf(limit, mtu);
    if (bucket && !isSameBucket(bucket, actual)) await trafficControl.shape(device, bucket);
    else if (!bucket && actual) await trafficControl.unshape(device);
    this.#note(device, { bucket });
  }

  /** Without an IPv6 address of its own: nobody talks to it. */
  async #makeEgressLink(name: string): Promise<void> {
    const { links, sysctls } = this.#options.kernel;
    await links.createIfb(name);
    const made = await links.get(name);
    if (made && made.kind !== 'ifb')
      throw new KernelError('EEXIST', `create ifb ${name}`, `${name} is a ${made.kind || 'link'}`);
    const setting = `net.ipv6.conf.${name.replaceAll('.', '/')}.disable_ipv6`;
    const current = await sysctls.get(setting);
    if (current !== undefined && current !== '1') await sysctls.set(setting, '1');
  }

  /** Those of workloads that have left. */
  async #removeLeftovers(endpoints: LocalState['endpoints']): Promise<unknown[]> {
    const { links } = this.#options;
    const errors: unknown[] = [];
    for (const name of links.names()) {
      const isLeft =
        name.startsWith(WORKLOAD_LINK.egressPrefix) && !endpoints.has(workloadLinkOf(name));
      if (!isLeft || links.get(name)?.kind !== 'ifb') continue;
      await this.#removeEgressLink(name).catch((error: unknown) => errors.push(error));
    }
    return errors;
  }

  async #removeEgressLink(name: string): Promise<void> {
    await this.#options.kernel.links.remove(name);
    this.#actual.delete(name);
  }

  #note(
    device: string,
    change: { bucket?: ShapedLink['bucket'] | undefined; redirect?: string | undefined },
  ): void {
    const { bucket, redirect } = { ...this.#actual.get(device), ...change };
    this.#actual.set(device, {
      device,
      ...(bucket && { bucket }),
      ...(redirect !== undefined && { redirect }),
    });
  }
}

/** The ifb of a workload's interface: the same name with another beginning, so that neither can be another's. */
function egressLinkOf(interfaceName: string): string {
  return WORKLOAD_LINK.egressPrefix + interfaceName.slice(WORKLOAD_LINK.namePrefix.length);
}

function workloadLinkOf(egressLink: string): string {
  return WORKLOAD_LINK.namePrefix + egressLink.slice(WORKLOAD_LINK.egressPrefix.length);
}
