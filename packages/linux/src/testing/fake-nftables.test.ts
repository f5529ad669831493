import { describeNftables } from './describe-nftables.ts';
import { fakeNftables } from './fake-nftables.ts';

describeNftables('the fake', async () => ({
  nftables: fakeNftables(),
  async [Symbol.asyncDispose]() {},
}));
