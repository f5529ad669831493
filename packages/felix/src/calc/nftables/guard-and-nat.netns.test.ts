import { describeGuardAndNat } from '../../../test/describe-guard-and-nat.ts';
import { loadNft } from '../../../test/policy-network.ts';
import { renderRuleset } from './render-ruleset.ts';

describeGuardAndNat('nftables', async (router, state) => {
  const ruleset = renderRuleset(state);
  await loadNft(router, ruleset);
  return ruleset;
});
