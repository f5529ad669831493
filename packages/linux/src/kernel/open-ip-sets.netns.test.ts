import { describeIpSets } from '../testing/describe-ip-sets.ts';
import { netns } from '../testing/netns.ts';
import { openIpSets } from './open-ip-sets.ts';

describeIpSets('the kernel', async () => {
  const ns = await netns();
  const sets = openIpSets({ namespace: ns.path });
  return {
    sets,
    async [Symbol.asyncDispose]() {
      sets[Symbol.dispose]();
      await ns[Symbol.asyncDispose]();
    },
  };
});
