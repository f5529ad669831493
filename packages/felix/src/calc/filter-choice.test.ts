import { expect, test } from 'vitest';
import {
  chooseFilter,
  type FilterMode,
  type FilterSetting,
  filterModeOf,
} from './filter-choice.ts';

test.each<[FilterSetting, FilterMode, boolean, string]>([
  ['auto', {}, false, 'nftables'],
  ['auto', {}, true, 'iptables-legacy'],
  ['auto', { nftablesMode: 'Enabled' }, true, 'nftables'],
  ['auto', { nftablesMode: 'Disabled' }, false, 'iptables-nft'],
  ['auto', { nftablesMode: 'Disabled' }, true, 'iptables-legacy'],
  ['auto', { nftablesMode: 'Disabled', iptablesBackend: 'NFT' }, true, 'iptables-nft'],
  ['iptables', { nftablesMode: 'Enabled', iptablesBackend: 'Legacy' }, false, 'iptables-legacy'],
  ['nftables', { nftablesMode: 'Disabled' }, true, 'nftables'],
])('%s with %j, on legacy: %s, is %s', (setting, mode, livesOnLegacy, filter) => {
  expect(chooseFilter(setting, mode, livesOnLegacy).filter).toBe(filter);
});

test('the configuration of the node wins', () => {
  const specs = new Map([
    ['default', { nftablesMode: 'Enabled' as const, chainInsertMode: 'Append' as const }],
    ['node.h1', { nftablesMode: 'Disabled' as const }],
  ]);
  expect(filterModeOf(specs, 'h1')).toEqual({
    nftablesMode: 'Disabled',
    chainInsertMode: 'Append',
  });
  expect(filterModeOf(specs, 'h2')).toEqual({ nftablesMode: 'Enabled', chainInsertMode: 'Append' });
});
