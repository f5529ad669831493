import { type Nftables, NftError } from '@overland/linux';
import type { IpAddress } from '@overland/net';
import type { Logger } from 'pino';
import type { HostLinks } from '../../calc/host-links.ts';
import type { PolicyChange } from '../../calc/policy-change.ts';
import type { PolicyState } from '../../calc/policy-state.ts';
import type { Clock } from '../clock.ts';
import type { PolicyBackend, PolicyCounts, PolicyFailure } from '../policy-backend.ts';
import { RetryQueue } from '../retry-queue.ts';
import type { PlanScope, TablePlan } from './kernel-table.ts';
import { keyOf, type PolicyItem, PolicyTable } from './policy-table.ts';

export interface NftPolicyOptions {
  readonly nftables: Nftables;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Policy in nftables: all that is wanted since the last time in one transaction. If the kernel refuses it, each thing
 * goes alone, and what is refused then is closed.
 */
export class NftPolicy implements PolicyBackend {
  readonly #options: NftPolicyOptions;
  readonly #policy = new PolicyTable();
  readonly #retries = new RetryQueue<string>();
  readonly #broken = new Map<string, PolicyItem>();
  /** Interfaces of which something was said that is not in the kernel yet. */
  #unwritten = new Set<string>();
  /** Whether anything has been said that decides about packets: before, the table of an earlier agent stays as it is. */
  #hasState = false;
  /** Whether there was such a table, once the kernel has been read. */
  #hasEarlier: boolean | undefined;
  #synced = false;
  /** Whether the kernel was as wanted, with nothing said since: what differs then is somebody else's doing. */
  #isInStep = false;
  /** Parts that differ by somebody else's doing, until they are put right. */
  #damage = 0;
  #repairs = 0;
  #refusals = 0;

  constructor(options: NftPolicyOptions) {
    this.#options = options;
  }

  get state(): PolicyState {
    return this.#policy.state;
  }

  accept(change: PolicyChange): void {
    // What an earlier agent has left is compared with all that is wanted, not with nothing, nor with the sets that come first.
    if (!this.#hasState && this.#hasEarlier !== false) this.doubt();
    this.#hasState ||= this.#hasEarlier === false || !isOfSetsOnly(change);
    this.#isInStep = false;
    this.#synced = change.synced;
    for (const item of this.#policy.accept(change)) this.#forget(keyOf(item));
    for (const name of change.endpoints.keys()) this.#unwritten.add(name);
  }

  linksChanged(links: HostLinks): void {
    this.#policy.setLinks(links);
  }

  doubt(): void {
    this.#policy.table.doubt();
  }

  async *foreignChanges(signal: AbortSignal): AsyncGenerator<void> {
    for await (const table of this.#options.nftables.foreignChanges(signal)) {
      if (table === undefined || table === this.#policy.table.name) yield;
    }
  }

  async reconcile(): Promise<boolean> {
    const due = this.#retries.takeDue(this.#options.clock.now());
    for (const key of due) {
      const item = this.#broken.get(key);
      if (item) this.#policy.setBroken(item, false);
    }
    try {
      const hasWritten = await this.#write();
      for (const key of due) if (!this.#retries.isWaiting(key)) this.#forget(key);
      return hasWritten;
    } catch (error) {
      this.doubt();
      const reason = error instanceof Error ? error.message : 'failed';
      for (const key of due) this.#retries.failed(key, reason, this.#options.clock.now());
      throw error;
    }
  }

  isEnforced(interfaceName: string, addresses: readonly IpAddress[]): boolean {
    const filter = this.#policy.state.endpoints.get(interfaceName);
    return (
      filter !== undefined &&
      addresses.every((address) => filter.addresses.includes(address)) &&
      !this.#unwritten.has(interfaceName) &&
      !this.#broken.has(keyOf({ type: 'endpoint', id: interfaceName }))
    );
  }

  nextDueMs(): number | undefined {
    return this.#retries.nextDueMs();
  }

  *failures(): Generator<PolicyFailure> {
    for (const { key, ...failure } of this.#retries.entries()) {
      yield { what: key.replace(/^list /, 'policy ').replace(/^part /, ''), ...failure };
    }
  }

  counts(): PolicyCounts {
    const { endpoints, lists, sets } = this.#policy.state;
    const policies = [...lists.values()].filter(({ name }) => !name.startsWith('Profile '));
    return {
      synced: this.#synced,
      endpoints: endpoints.size,
      policies: new Set(policies.map(({ name }) => name)).size,
      sets: sets.size,
      repairs: this.#repairs,
      refusals: this.#refusals,
    };
  }

  async #write(): Promise<boolean> {
    if (!this.#hasState && this.#hasEarlier) return false;
    const isThere = await this.#readIfInDoubt();
    this.#hasEarlier ??= isThere;
    if (!this.#hasState && this.#hasEarlier) return false;
    const written = [...this.#unwritten];
    const plan = this.#policy.table.plan({ mayRemove: this.#synced });
    try {
      await this.#transact(plan);
    } catch (error) {
      if (!(error instanceof NftError)) throw error;
      await this.#writeOneByOne(error);
    }
    for (const name of written) this.#unwritten.delete(name);
    this.#isInStep = this.#synced;
    this.#repairs += this.#damage;
    this.#damage = 0;
    return plan.changes.length > 0;
  }

  /** @returns Whether there may be a table. */
  async #readIfInDoubt(): Promise<boolean> {
    const { table } = this.#policy;
    const { nftables, log } = this.#options;
    if (!table.isInDoubt) return true;
    const content = await nftables.read(table.name);
    const differences = table.read(content, (rule) => nftables.fingerprint(rule));
    if (this.#isInStep && differences > 0) {
      this.#damage = differences;
      log.warn({ differences }, 'packet filter was changed by somebody else: putting it right');
    }
    return content !== undefined;
  }

  async #transact(plan: TablePlan): Promise<void> {
    if (plan.changes.length === 0) return;
    try {
      await this.#options.nftables.transact(plan.changes);
    } catch (error) {
      plan.undo();
      if (error instanceof NftError) this.#refusals++;
      throw error;
    }
  }

  /** What is refused alone is closed: it must not keep the rest out of the kernel. */
  async #writeOneByOne(refusal: NftError): Promise<void> {
    const { table } = this.#policy;
    this.#options.log.warn({ err: refusal }, 'packet filter refuses a change: trying its parts');
    // What was believed of the kernel may be what is wrong.
    this.doubt();
    await this.#readIfInDoubt();
    await this.#transactOnly({ mayRemove: false, only: this.#policy.baseNames() });
    for (const item of this.#policy.items()) {
      const only = this.#policy.namesOf(item);
      try {
        await this.#transactOnly({ mayRemove: false, only });
      } catch (error) {
        if (!(error instanceof NftError)) throw error;
        this.#close(item, error);
        // A set goes once nobody asks it.
        if (item.type === 'set') continue;
        // What stands in for it may have other names.
        const both = new Set([...only, ...this.#policy.namesOf(item)]);
        await this.#transactOnly({ mayRemove: true, only: both });
      }
    }
    await this.#transact(table.plan({ mayRemove: this.#synced }));
  }

  #forget(key: string): void {
    this.#broken.delete(key);
    this.#retries.forget(key);
  }

  async #transactOnly(scope: PlanScope): Promise<void> {
    await this.#transact(this.#policy.table.plan(scope));
  }

  #close(item: PolicyItem, { message }: NftError): void {
    const { clock, log } = this.#options;
    const key = keyOf(item);
    log.error({ [item.type]: item.id, reason: message }, 'cannot be programmed: it is closed');
    this.#broken.set(key, item);
    this.#retries.failed(key, message, clock.now());
    this.#policy.setBroken(item, true);
  }
}

/** The first part of a change that is told in several: nothing asks about these sets yet. */
function isOfSetsOnly({ synced, lists, endpoints, host }: PolicyChange): boolean {
  return !synced && lists.size === 0 && endpoints.size === 0 && host === undefined;
}
