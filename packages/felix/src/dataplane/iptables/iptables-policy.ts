import { type IpSets, type Iptables, IptablesError } from '@overland/linux';
import type { IpAddress } from '@overland/net';
import type { Logger } from 'pino';
import type { HostLinks } from '../../calc/host-links.ts';
import { CHAIN, endpointChain, limitChain, listChain } from '../../calc/iptables/names.ts';
import { TRANSLATION_CHAINS } from '../../calc/iptables/nat-rules.ts';
import type { SetId } from '../../calc/policy/active-rule.ts';
import { applyChange, emptyPolicyState, type PolicyChange } from '../../calc/policy-change.ts';
import { type PolicyState, setsOf } from '../../calc/policy-state.ts';
import type { Clock } from '../clock.ts';
import type { PolicyBackend, PolicyCounts, PolicyFailure } from '../policy-backend.ts';
import { RetryQueue } from '../retry-queue.ts';
import { FamilyWriter, type PolicyWish } from './family-writer.ts';
import { iptablesChanges, type TableNotices } from './iptables-changes.ts';
import type { ChainInsertMode } from './plan-table.ts';
import { SetWriter } from './set-writer.ts';

const FAMILIES = ['ipv4', 'ipv6'] as const;
/** Rounds that a reconciliation may take: what is refused in one is closed in the next. */
const MAX_ROUNDS = 3;

export interface IptablesPolicyOptions {
  readonly iptables: Iptables;
  readonly sets: IpSets;
  readonly clock: Clock;
  readonly log: Logger;
  /** Tells that tables may have changed, where the kernel tells. */
  readonly notices?: TableNotices;
  /** Default: before the rules of others. */
  readonly insertMode?: ChainInsertMode;
}

/**
 * Policy in iptables and ipset: members of sets first, then the chains that differ, in one transaction for each IP version,
 * then what nobody needs any more goes. What is refused is closed.
 */
export class IptablesPolicy implements PolicyBackend {
  readonly #options: IptablesPolicyOptions;
  readonly #state = emptyPolicyState();
  readonly #sets: SetWriter;
  #links: HostLinks = new Map();
  readonly #filters: readonly FamilyWriter[];
  /** Of `list ID`, `endpoint INTERFACE` and `set ID`: what is closed. */
  readonly #retries = new RetryQueue<string>();
  #unwritten = new Set<string>();
  /** Whether something may have to be written. */
  #isDirty = true;
  /** Whether anything has been said: before, the rules of an earlier agent stay as they are. */
  #hasState = false;
  #synced = false;
  /** Whether the kernel was as wanted, with nothing said since: what differs then is somebody else's doing. */
  #isInStep = false;
  /** Whether what is doubted next is tables alone. */
  #areSetsTrusted = false;
  #repairs = 0;
  #refusals = 0;

  constructor(options: IptablesPolicyOptions) {
    const { iptables, sets, log } = options;
    this.#options = options;
    this.#sets = new SetWriter(sets, log);
    this.#filters = FAMILIES.map((family) => new FamilyWriter({ iptables, family, log }));
  }

  get state(): PolicyState {
    return this.#state;
  }

  accept(change: PolicyChange): void {
    this.#sets.accept(change);
    applyChange(this.#state, change);
    this.#hasState = true;
    this.#isInStep = false;
    this.#isDirty = true;
    this.#synced = change.synced;
    for (const id of change.sets.keys()) this.#retries.forget(`set ${id}`);
    for (const id of change.lists.keys()) this.#retries.forget(`list ${id}`);
    for (const name of change.endpoints.keys()) {
      this.#retries.forget(`endpoint ${name}`);
      this.#unwritten.add(name);
    }
    if (change.host || change.endpoints.size > 0) this.#retries.forget(TRANSLATION);
  }

  linksChanged(links: HostLinks): void {
    this.#links = links;
    this.#isInStep = false;
    this.#isDirty = true;
  }

  async *foreignChanges(signal: AbortSignal): AsyncGenerator<unknown> {
    for await (const what of iptablesChanges(this.#options, signal)) {
      this.#areSetsTrusted = what === 'tables';
      yield what;
    }
  }

  doubt(): void {
    if (!this.#areSetsTrusted) this.#sets.doubt(this.#state);
    this.#areSetsTrusted = false;
    for (const filter of this.#filters) filter.doubt();
    this.#isDirty = true;
  }

  async reconcile(): Promise<boolean> {
    const due = this.#retries.takeDue(this.#options.clock.now());
    if (!this.#isDirty && due.length === 0) return false;
    // Links may change while it writes.
    this.#isDirty = false;
    try {
      const hasWritten = await this.#write(new Set(due));
      if (this.#hasState) this.#unwritten.clear();
      return hasWritten;
    } catch (error) {
      this.#sets.doubtAll();
      for (const filter of this.#filters) filter.doubt();
      this.#isDirty = true;
      this.#refusals += 1;
      for (const key of due) this.#refuse(key, error instanceof Error ? error.message : 'failed');
      throw error;
    }
  }

  isEnforced(interfaceName: string, addresses: readonly IpAddress[]): boolean {
    const filter = this.#state.endpoints.get(interfaceName);
    return (
      filter !== undefined &&
      addresses.every((address) => filter.addresses.includes(address)) &&
      !this.#unwritten.has(interfaceName) &&
      !this.#closedKeys().has(`endpoint ${interfaceName}`)
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
    const { endpoints, lists, sets } = this.#state;
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

  /** @param due Keys that are tried again, as if nothing had happened. */
  async #write(due: Set<string>): Promise<boolean> {
    if (!this.#hasState && (await this.#isThere())) return false;
    await this.#countRepairs();
    let hasWritten = false;
    for (let round = 1; ; round++) {
      const refused = new Map<string, string>();
      const sets = await this.#sets.write(this.#state, this.#synced);
      for (const [id, reason] of sets.refused) refused.set(`set ${id}`, reason);
      hasWritten ||= sets.changes > 0;
      const wish = this.#wish(due, new Set(sets.refused.keys()));
      for (const filter of this.#filters) {
        const outcome = await filter.write(wish);
        hasWritten ||= outcome.written;
        for (const [chain, reason] of outcome.refused) refused.set(this.#keyOf(chain), reason);
      }
      for (const [key, reason] of refused) this.#refuse(key, reason);
      for (const key of refused.keys()) due.delete(key);
      const chains = [...refused].filter(([key]) => !key.startsWith('set '));
      if (chains.length === 0) break;
      const [key, reason] = chains[0] ?? [];
      if (round === MAX_ROUNDS) throw new IptablesError(`${key} cannot even be closed: ${reason}`);
    }
    for (const key of due) this.#retries.forget(key);
    if (this.#synced) hasWritten = (await this.#sets.removeUnwanted(this.#state)) || hasWritten;
    this.#isInStep = this.#synced && this.#retries.size === 0 && !this.#isDirty;
    return hasWritten;
  }

  async #isThere(): Promise<boolean> {
    let isThere = false;
    for (const filter of this.#filters) isThere = (await filter.isThere()) || isThere;
    return isThere;
  }

  async #countRepairs(): Promise<void> {
    if (!this.#isInStep) return;
    const wish = this.#wish(new Set(), new Set());
    let differences = 0;
    for (const filter of this.#filters) differences += await filter.differences(wish);
    if (differences === 0) return;
    this.#repairs += differences;
    this.#options.log.warn(
      { differences },
      'iptables was changed by somebody else: putting it right',
    );
  }

  #wish(due: ReadonlySet<string>, brokenSets: ReadonlySet<SetId>): PolicyWish {
    const { insertMode = 'Insert' } = this.#options;
    const closedKeys = this.#closedKeys();
    for (const key of due) closedKeys.delete(key);
    const isBroken = (id: SetId) => brokenSets.has(id) || closedKeys.has(`set ${id}`);
    const closed = new Set<string>();
    for (const [id, list] of this.#state.lists) {
      if (closedKeys.has(`list ${id}`) || setsOf(list).some(isBroken)) closed.add(listChain(id));
    }
    for (const name of this.#state.endpoints.keys()) {
      if (!closedKeys.has(`endpoint ${name}`)) continue;
      for (const chain of endpointChains(name)) closed.add(chain);
    }
    // Without anything that is told of it, what is denied is dropped.
    if (closedKeys.has(`chain ${CHAIN.denied}`)) closed.add(CHAIN.denied);
    if (closedKeys.has(TRANSLATION)) for (const chain of TRANSLATION_CHAINS) closed.add(chain);
    return {
      state: this.#state,
      links: this.#links,
      mode: insertMode,
      closed,
      mayRemove: this.#synced,
    };
  }

  #closedKeys(): Set<string> {
    return new Set(Array.from(this.#retries.entries(), ({ key }) => key));
  }

  #refuse(key: string, reason: string): void {
    const { clock, log } = this.#options;
    log.error({ what: key, reason }, 'cannot be programmed: it is closed');
    this.#refusals += 1;
    this.#retries.failed(key, reason, clock.now());
  }

  /** What of the state a chain stands for. */
  #keyOf(chain: string): string {
    for (const id of this.#state.lists.keys()) if (listChain(id) === chain) return `list ${id}`;
    for (const name of this.#state.endpoints.keys()) {
      if (endpointChains(name).includes(chain)) return `endpoint ${name}`;
    }
    return TRANSLATION_CHAINS.includes(chain) ? TRANSLATION : `chain ${chain}`;
  }
}

const TRANSLATION = 'part address translation';

function endpointChains(interfaceName: string): string[] {
  return (['ingress', 'egress'] as const).flatMap((direction) => [
    endpointChain(direction, interfaceName),
    limitChain(direction, interfaceName),
  ]);
}
