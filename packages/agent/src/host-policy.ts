import type { FilterMode, FilterSetting } from '@overland/felix';
import {
  chooseFilter,
  livesOnLegacy,
  PolicySwitch,
  packetFilters,
} from '@overland/felix/dataplane';
import { iptablesCommand, openIpSets, openNftables } from '@overland/linux/netfilter';
import type { Logger } from 'pino';

/** The packet filter that this host's policy is in, and the choice of it. */
export class HostPolicy implements Disposable {
  readonly backend: PolicySwitch;
  readonly #setting: FilterSetting;
  readonly #livesOnLegacy: boolean;
  readonly #resources: Disposable;

  private constructor(
    backend: PolicySwitch,
    setting: FilterSetting,
    isOnLegacy: boolean,
    resources: Disposable,
  ) {
    this.backend = backend;
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
    return new HostPolicy(backend, setting, isOnLegacy, opened.move());
  }

  /** Takes over what FelixConfigurations say. */
  setMode(mode: FilterMode): void {
    this.backend.choose(chooseFilter(this.#setting, mode, this.#livesOnLegacy));
  }

  [Symbol.dispose](): void {
    this.#resources[Symbol.dispose]();
  }
}
