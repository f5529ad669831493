import type { FelixConfiguration } from '@overland/model';

/** Where a host's policy is enforced. */
export type PacketFilter = 'nftables' | 'iptables-legacy' | 'iptables-nft';

/** A packet filter, and how it is used. */
export interface FilterChoice {
  readonly filter: PacketFilter;
  /** Of iptables: where rules of ours stand among those of others. */
  readonly insertMode: 'Insert' | 'Append';
}

/** The agent's setting. */
export type FilterSetting = 'auto' | 'nftables' | 'iptables';

/** What FelixConfigurations say; whatever is absent is left to us. */
export type FilterMode = Pick<
  FelixConfiguration['spec'],
  'nftablesMode' | 'iptablesBackend' | 'chainInsertMode'
>;

/**
 * Chooses the packet filter: the agent's setting first, then the FelixConfiguration, then what the host lives on.
 *
 * @param livesOnLegacy Whether others have rules in iptables-legacy.
 */
export function chooseFilter(
  setting: FilterSetting,
  { nftablesMode = 'Auto', iptablesBackend = 'Auto', chainInsertMode = 'Insert' }: FilterMode,
  livesOnLegacy: boolean,
): FilterChoice {
  const insertMode = chainInsertMode;
  const isNftables = {
    nftables: true,
    iptables: false,
    auto: nftablesMode === 'Auto' ? !livesOnLegacy : nftablesMode === 'Enabled',
  };
  if (isNftables[setting]) return { filter: 'nftables', insertMode };
  const isLegacy = iptablesBackend === 'Auto' ? livesOnLegacy : iptablesBackend === 'Legacy';
  return { filter: isLegacy ? 'iptables-legacy' : 'iptables-nft', insertMode };
}
