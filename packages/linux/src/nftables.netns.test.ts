import { nftCommand } from './nft-command.ts';
import { describeNftables } from './testing/describe-nftables.ts';
import { netns } from './testing/netns.ts';

describeNftables('nft', async () => {
  const ns = await netns();
  const nftables = nftCommand({ namespace: ns.path });
  return { nftables, [Symbol.asyncDispose]: () => ns[Symbol.asyncDispose]() };
});
