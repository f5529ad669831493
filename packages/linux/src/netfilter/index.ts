/** What only a host with policies needs: nftables, iptables, ipset, logged packets. Whoever speaks BGP alone does not load it. */

export { iptablesCommand } from '../iptables-command.ts';
export { openIpSets } from '../kernel/open-ip-sets.ts';
export { openNftables } from '../kernel/open-nftables.ts';
export { openFlowEvents } from './open-flow-events.ts';
export { readPacketHeader } from './packet-header.ts';
