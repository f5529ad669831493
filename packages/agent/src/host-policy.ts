import type { FilterMode, FilterSetting } from '@overland/felix';
import {
  acceptInDockerUser,
  chooseFilter,
  leaveDockerUser,
  livesOnLegacy,
  PolicySwitch,
  packetFilters,
  type Takeover,
  takeOver,
} from '@overland/felix/dataplane';
import type { Iptables } from '@overland/linux';
import { iptablesCommand, openIpSets, openNftables } from '@overland/linux/netfilter';
import type { Logger } from 'pino';

interface Opened {
  readonly backend: PolicySwitch;
  readonly filters: Parameters<typeof takeOver>[0];
  readonly setting: FilterSetting;
  readonly isOnLegacy: boolean;
  readonly resources: Disposable;
}

/** The packet filter that this host's policy is in, and the choice of it. */
export class HostPolicy implements Disposable {
  readonly backend: PolicySwitch;
  readonly #setting: FilterSetting;
  readonly #livesOnLegacy: boolean;
  readonly #filters: Opened['filters'];
  readonly #resources: Disposable;
  /** Where policy is to be. */
  #isInNftables: boolean;

  private constructor({ backend, filters, setting, isOnLegacy, resources }: Opened) {
    this.#isInNftables = backend.counts().packetFilter === 'nftables';
    this.backend = backend;
    this.#filters = filters;
    this.#setting = setting;
    this.#livesOnLegacy = isOnLegacy;
    this.#resources = resources;
  }

  /** Looks at what the host lives on, once: a packet filter is not changed because somebody tries another one. */
  static async open(setting: FilterSetting, log: Logger): Promise<HostPolicy> {
    using opened = new DisposableStack();
    const sets = opened.use(openIpSets());
    const nftables = opened.use(openNftables());
    const iptables = { legacy: iptablesCommand('legacy'), nft: iptablesCommand('nft') };
    const filters = packetFilters({ nftables, iptables, sets, log });
    const isOnLegacy = await livesOnLegacy({ iptables });
    const choice = chooseFilter(setting, {}, isOnLegacy);
    const isOpen = setting === 'auto';
    const backend = await PolicySwitch.start(filters, choice, { log, isOpen });
    const resources = opened.move();
    const policy = new HostPolicy({
      backend,
      filters: { nftables, iptables, sets },
      setting,
      isOnLegacy,
      resources,
    });
    if (!policy.#isInNftables) await policy.#changeDockerUser(leaveDockerUser);
    return policy;
  }

  /** Takes over what FelixConfigurations say. */
  async setMode(mode: FilterMode): Promise<void> {
    const choice = chooseFilter(this.#setting, mode, this.#livesOnLegacy);
    // Before policy is in iptables, nothing must be accepted there without it.
    this.#isInNftables = choice.filter === 'nftables';
    if (!this.#isInNftables) await this.#changeDockerUser(leaveDockerUser);
    this.backend.choose(choice);
  }

  /** Docker's FORWARD drops what nobody accepts: in nftables policy has decided before, in iptables it accepts there itself. */
  async acceptInDockerUser(): Promise<void> {
    const isInForce = this.backend.counts().packetFilter === 'nftables';
    if (this.#isInNftables && isInForce) await this.#changeDockerUser(acceptInDockerUser);
  }

  async #changeDockerUser(change: (iptables: Iptables) => Promise<void>): Promise<void> {
    const { legacy, nft } = this.#filters.iptables;
    await change(legacy);
    await change(nft);
  }

  /** Looks for what Calico has left, and removes it if so asked: only once our own policy is in place. */
  takeOver(remove: boolean): Promise<Takeover> {
    return takeOver(this.#filters, remove);
  }

  [Symbol.dispose](): void {
    this.#resources[Symbol.dispose]();
  }
}
