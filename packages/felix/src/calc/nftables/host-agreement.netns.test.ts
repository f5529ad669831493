import { openNftables } from '@overland/linux/netfilter';
import { describeKernelAgreement } from '../../../test/kernel-agreement.ts';
import { clusterWithHost, packetWithHost } from '../../../test/random-policies.ts';
import { rulesetChanges } from '../../../test/ruleset-changes.ts';
import { renderRuleset } from './render-ruleset.ts';

describeKernelAgreement(
  'nftables with endpoints of the host',
  async (router, state) => {
    const ruleset = renderRuleset(state);
    // Not by nft, as the test without endpoints of the host: our own way into the kernel is judged, too.
    using nftables = openNftables({ namespace: router.path });
    await nftables.transact(rulesetChanges(ruleset));
    return ruleset;
  },
  { cluster: clusterWithHost, packet: packetWithHost },
);
