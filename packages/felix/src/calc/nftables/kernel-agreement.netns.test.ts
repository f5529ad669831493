import { describeKernelAgreement } from '../../../test/kernel-agreement.ts';
import { loadNft } from '../../../test/policy-network.ts';
import { renderRuleset } from './render-ruleset.ts';

describeKernelAgreement('nftables', async (router, state) => {
  const ruleset = renderRuleset(state);
  await loadNft(router, ruleset);
  return ruleset;
});
