import type { IptablesVariant } from '@overland/linux';
import { iptablesCommand, openIpSets } from '@overland/linux/netfilter';
import type { TestNamespace } from '@overland/linux/testing';
import { pino } from 'pino';
import { afterAll, describe, expect } from 'vitest';
import { describeGuardAndNat } from '../../../test/describe-guard-and-nat.ts';
import { describeKernelAgreement } from '../../../test/kernel-agreement.ts';
import { clusterWithHost, packetWithHost } from '../../../test/random-policies.ts';
import { differenceOf, emptyPolicyState } from '../../calc/policy-change.ts';
import type { PolicyState } from '../../calc/policy-state.ts';
import { systemClock } from '../clock.ts';
import { IptablesPolicy } from './iptables-policy.ts';

const log = pino({ level: 'silent' });

const VARIANTS: readonly IptablesVariant[] = ['legacy', 'nft'];
/** Their rules are the same: one is enough in a run that has to be short. */
const AGREEING = process.env.OVERLAND_SOAK ? VARIANTS : VARIANTS.slice(0, 1);

describe.each(AGREEING)('iptables-%s', (variant) => {
  const cleanUp = new DisposableStack();
  afterAll(() => cleanUp.dispose());
  let backend: { readonly policy: IptablesPolicy; readonly router: TestNamespace } | undefined;
  let before: PolicyState = emptyPolicyState();

  // From state to state, as an agent goes.
  async function program(router: TestNamespace, state: PolicyState): Promise<string> {
    if (backend?.router !== router) {
      const sets = cleanUp.use(openIpSets({ namespace: router.path }));
      const iptables = iptablesCommand(variant, { namespace: router.path });
      backend = { policy: new IptablesPolicy({ iptables, sets, clock: systemClock, log }), router };
      before = emptyPolicyState();
    }
    backend.policy.accept(differenceOf(before, state, true));
    before = state;
    await backend.policy.reconcile();
    expect([...backend.policy.failures()]).toEqual([]);
    const rules = await router.exec([`iptables-${variant}-save`]);
    return `${rules}${await router.exec([`ip6tables-${variant}-save`])}`;
  }

  describeGuardAndNat(`iptables-${variant}`, program);
  describeKernelAgreement(`a backend of iptables-${variant}`, program);
  describeKernelAgreement(`a backend of iptables-${variant} with endpoints of the host`, program, {
    cluster: clusterWithHost,
    packet: packetWithHost,
  });
});
