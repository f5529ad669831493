import { describeIptables } from './describe-iptables.ts';
import { fakeIptables } from './fake-iptables.ts';

describeIptables('the fake', async () => ({
  iptables: fakeIptables(),
  async [Symbol.asyncDispose]() {},
}));
