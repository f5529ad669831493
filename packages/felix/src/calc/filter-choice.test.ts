import { completeResource, type FelixConfiguration, parseManifest } from '@overland/model';
import { expect, test } from 'vitest';
import { chooseFilter, type FilterMode, type FilterSetting } from './filter-choice.ts';
import { filterModeOf } from './filter-mode.ts';

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

test('the configuration of the node wins, then that of nodes like it', () => {
  const configurations = [
    felixConfiguration('default', { nftablesMode: 'Enabled', chainInsertMode: 'Append' }),
    felixConfiguration('old', { nodeSelector: "kernel == 'old'", nftablesMode: 'Disabled' }),
    felixConfiguration('node.h1', { iptablesBackend: 'NFT' }),
  ];
  const modeOf = (name: string, kernel: string) =>
    filterModeOf(configurations, { name, labels: { kernel } });
  expect(modeOf('h2', 'new')).toEqual({ nftablesMode: 'Enabled', chainInsertMode: 'Append' });
  expect(modeOf('h1', 'old')).toEqual({
    nftablesMode: 'Disabled',
    iptablesBackend: 'NFT',
    chainInsertMode: 'Append',
  });
});

function felixConfiguration(name: string, spec: object): FelixConfiguration {
  const kind = 'FelixConfiguration';
  const document = { apiVersion: 'projectcalico.org/v3', kind, metadata: { name }, spec };
  return completeResource(parseManifest(document)) as FelixConfiguration;
}
