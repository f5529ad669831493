import { iptablesCommand } from './iptables-command.ts';
import { describeIptables } from './testing/describe-iptables.ts';
import { netns } from './testing/netns.ts';

for (const variant of ['legacy', 'nft'] as const) {
  describeIptables(`iptables-${variant}`, async () => {
    const ns = await netns();
    const iptables = iptablesCommand(variant, { namespace: ns.path });
    return { iptables, [Symbol.asyncDispose]: () => ns[Symbol.asyncDispose]() };
  });
}
