import { describeIpSets } from './describe-ip-sets.ts';
import { fakeIpSets } from './fake-ip-sets.ts';

describeIpSets('the fake', async () => ({
  sets: fakeIpSets(),
  async [Symbol.asyncDispose]() {},
}));
