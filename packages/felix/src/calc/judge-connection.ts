import type { TrackedConnection } from '@overland/linux';
import type { IpAddress } from '@overland/net';
import { judgePacket } from './policy/judge-packet.ts';
import type { Packet } from './policy/match-rule.ts';
import type { Direction, EndpointPolicy, RuleList } from './policy/policy-view.ts';
import type { EndpointFilter, EndpointPolicyRef, ListId, PolicyState } from './policy-state.ts';
import { StateSets } from './state-sets.ts';

/** Says of connections whether a state would let them begin: the same walk as the explainer's, over the state alone. */
export class ConnectionJudge {
  readonly #state: PolicyState;
  readonly #isHost: (address: IpAddress) => boolean;
  readonly #endpoints = new Map<IpAddress, EndpointFilter>();
  readonly #sets: StateSets;

  /** @param isHost Whether an address is the host's own: what the host sends to workloads no policy is asked about. */
  constructor(state: PolicyState, isHost: (address: IpAddress) => boolean) {
    this.#state = state;
    this.#isHost = isHost;
    this.#sets = new StateSets(state);
    for (const filter of state.endpoints.values()) {
      for (const address of filter.addresses) this.#endpoints.set(address, filter);
    }
  }

  isForbidden({ original, reply }: TrackedConnection): boolean {
    // Policy sees a packet behind the translation of its destination, and before that of its source.
    const { source, protocol, sourcePort, icmpType, icmpCode } = original;
    const destination = reply.source;
    const destinationPort = reply.sourcePort;
    const packet: Packet = {
      source,
      destination,
      protocol,
      sourcePort,
      destinationPort,
      icmpType,
      icmpCode,
    };
    const [from, to] = [this.#endpoints.get(source), this.#endpoints.get(destination)];
    if (from && this.#denies(from.egress, 'egress', packet)) return true;
    return to !== undefined && !this.#isHost(source) && this.#denies(to.ingress, 'ingress', packet);
  }

  #denies(ref: EndpointPolicyRef, direction: Direction, packet: Packet): boolean {
    const policy = this.#policyOf(ref);
    return judgePacket(policy, { direction }, packet, this.#sets).decision.action === 'deny';
  }

  #policyOf({ tiers, profiles }: EndpointPolicyRef): EndpointPolicy {
    const find = (id: ListId): RuleList =>
      this.#state.lists.get(id) ?? { name: id, rules: [], missing: 'it is not there' };
    return {
      tiers: tiers.map(({ lists, ...tier }) => ({ ...tier, policies: lists.map(find) })),
      profiles: profiles.map(find),
    };
  }
}
