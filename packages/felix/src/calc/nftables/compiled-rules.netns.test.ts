import { openNftables } from '@overland/linux/netfilter';
import { netns, type TestNamespace } from '@overland/linux/testing';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { loadNft } from '../../../test/policy-network.ts';
import { clusterWithHost, NODE } from '../../../test/random-policies.ts';
import { rulesetChanges } from '../../../test/ruleset-changes.ts';
import { PolicyView } from '../policy/policy-view.ts';
import { policyStateOf } from '../policy-state-of.ts';
import { renderRuleset } from './render-ruleset.ts';

const RULESETS = process.env.OVERLAND_SOAK ? 1_000 : 15;

/**
 * What nft lists. It loads a type and a code of ICMP that follow each other as one, the type first in whatever order they were
 * written: of lines that have both, only the words are compared.
 */
async function list(ns: TestNamespace): Promise<string[]> {
  const text = await ns.exec(['nft', '-s', '-t', 'list', 'ruleset']);
  return text
    .split('\n')
    .filter((line) => line.trim() !== 'auto-merge')
    .map((line) => (/icmp(v6)? code/.test(line) ? line.split(' ').toSorted().join(' ') : line));
}

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
    expect(await list(ours)).toEqual(await list(theirs));
  }
});
