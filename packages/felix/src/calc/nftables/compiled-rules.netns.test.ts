import { openNftables } from '@overland/linux/netfilter';
import { netns } from '@overland/linux/testing';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { loadNft } from '../../../test/policy-network.ts';
import { clusterWithHost, NODE } from '../../../test/random-policies.ts';
import { rulesetChanges } from '../../../test/ruleset-changes.ts';
import { PolicyView } from '../policy/policy-view.ts';
import { policyStateOf } from '../policy-state-of.ts';
import { renderRuleset } from './render-ruleset.ts';

const RULESETS = process.env.OVERLAND_SOAK ? 1_000 : 15;

test('rules of random policies are the same in the kernel, by nft and over netlink', {
  timeout: 60_000 + RULESETS * 500,
}, async () => {
  await using theirs = await netns();
  await using ours = await netns();
  using nftables = openNftables({ namespace: ours.path });
  for (const inputs of fc.sample(clusterWithHost, { numRuns: RULESETS, seed: 11 })) {
    const ruleset = renderRuleset(policyStateOf(new PolicyView(inputs), NODE));
    await loadNft(theirs, ruleset);
    await nftables.transact(rulesetChanges(ruleset));
    const list = async (ns: typeof ours) =>
      (await ns.exec(['nft', '-s', '-t', 'list', 'ruleset'])).replaceAll('\t\tauto-merge\n', '');
    expect(await list(ours)).toBe(await list(theirs));
  }
});
