import type { FelixConfiguration } from '@overland/model';
import type { FilterMode } from './filter-choice.ts';
import { type ConfiguredNode, felixSpecOf } from './policy/host-rules.ts';

/** What the FelixConfigurations for a node say of its packet filter. */
export function filterModeOf(
  configurations: readonly FelixConfiguration[],
  node: ConfiguredNode,
): FilterMode {
  const { nftablesMode, iptablesBackend, chainInsertMode } = felixSpecOf(configurations, node);
  return {
    ...(nftablesMode && { nftablesMode }),
    ...(iptablesBackend && { iptablesBackend }),
    ...(chainInsertMode && { chainInsertMode }),
  };
}
