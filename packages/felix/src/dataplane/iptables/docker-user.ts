import type { Iptables } from '@overland/linux';
import { WORKLOAD_LINK } from '@overland/net';

/** Docker jumps here before its own rules, and leaves to others what is in it. */
const CHAIN = 'DOCKER-USER';
const OWN = `${WORKLOAD_LINK.namePrefix}+`;
/** None of those by which policy in iptables is known: this is no policy. */
const COMMENT = '-m comment --comment "overland: policy is in nftables"';
const RULES = [`-i ${OWN} ${COMMENT} -j ACCEPT`, `-o ${OWN} ${COMMENT} -j ACCEPT`];

const FAMILIES = ['ipv4', 'ipv6'] as const;

/**
 * Lets workloads' packets through Docker's FORWARD chain, whose policy is to drop. Only while policy is in nftables:
 * accepting here is final within iptables, and says nothing to nftables. Nothing if Docker has not been here.
 */
export async function acceptInDockerUser(iptables: Iptables): Promise<void> {
  for (const family of FAMILIES) {
    const rules = (await iptables.read(family, 'filter')).get(CHAIN);
    if (!rules) continue;
    const missing = RULES.filter((rule) => !rules.includes(rule));
    const changes = missing.map((rule) => ({ type: 'insert-rule', chain: CHAIN, rule }) as const);
    await iptables.transact(family, 'filter', changes);
  }
}

/** Takes out what {@link acceptInDockerUser} has put there. */
export async function leaveDockerUser(iptables: Iptables): Promise<void> {
  for (const family of FAMILIES) {
    const rules = (await iptables.read(family, 'filter')).get(CHAIN) ?? [];
    const ours = rules.filter((rule) => RULES.includes(rule));
    const changes = ours.map((rule) => ({ type: 'delete-rule', chain: CHAIN, rule }) as const);
    await iptables.transact(family, 'filter', changes);
  }
}
