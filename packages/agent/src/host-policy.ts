import type { FilterMode, FilterSetting } from '@overland/felix';
import {
  chooseFilter,
  livesOnLegacy,
  PolicySwitch,
  packetFilters,
  type Takeover,
  takeOver,
} from '@overland/felix/dataplane';
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

  private constructor({ backend, filters, setting, isOnLegacy, resources }: Opened) {
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
    return new HostPolicy({
      backend,
      filters: { nftables, iptables, sets },
      setting,
      isOnLegacy,
      resources,
    });
  }

  /** Takes over what FelixConfigurations say. */
  setMode(mode: FilterMode): void {
    this.backend.choose(chooseFilter(this.#setting, mode, this.#livesOnLegacy));
  }

  /** Looks for what Calico has left, and removes it if so asked: only once our own policy is in place. */
  takeOver(remove: boolean): Promise<Takeover> {
    return takeOver(this.#filters, remove);
  }

  [Symbol.dispose](): void {
    this.#resources[Symbol.dispose]();
  }
}
