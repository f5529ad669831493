import { describeKernelAgreement } from '../../../test/kernel-agreement.ts';
import { loadNft } from '../../../test/policy-network.ts';
import { clusterWithHost, packetWithHost } from '../../../test/random-policies.ts';
import { renderRuleset } from './render-ruleset.ts';

describeKernelAgreement(
  'nftables with endpoints of the host',
  async (router, state) => {
    const ruleset = renderRuleset(state);
    await loadNft(router, ruleset);
    return ruleset;
  },
  { cluster: clusterWithHost, packet: packetWithHost },
);
