import type { IpAddress } from '@overland/net';
import { type Decision, judgePacket } from '../calc/policy/judge-packet.ts';
import type { Direction, EndpointPolicy, RuleList } from '../calc/policy/policy-view.ts';
import type {
  EndpointFilter,
  EndpointPolicyRef,
  ListId,
  PolicyState,
} from '../calc/policy-state.ts';
import { StateSets } from '../calc/state-sets.ts';
import type { FlowCounts } from './flow-table.ts';

/** What a workload of this host says of a flow, by the policies that are in the kernel when it is asked. */
interface FlowJudgement extends Decision {
  readonly direction: Direction;
  /** `NAMESPACE/NAME` of the endpoint. */
  readonly endpoint: string;
  /** What would be with the staged policies enforced, where that is something else. */
  readonly staged?: Decision;
}

export interface JudgedFlow extends FlowCounts {
  /**
   * By the ends that are here: the source's before the destination's. Whoever denies is the last. A flow may have been let
   * through, or dropped, by policies that have changed since.
   */
  readonly judgements: readonly FlowJudgement[];
}

/** Says which policies decided about flows. Those that no workload of this host has a part in are left out. */
export function judgeFlows(flows: readonly FlowCounts[], state: PolicyState): JudgedFlow[] {
  const sets = new StateSets(state);
  const local = new Map<IpAddress, EndpointFilter>();
  for (const filter of state.endpoints.values()) {
    for (const address of filter.addresses) local.set(address, filter);
  }
  return flows.flatMap((flow) => {
    const judgements: FlowJudgement[] = [];
    for (const direction of ['egress', 'ingress'] as const) {
      const filter = local.get(direction === 'egress' ? flow.source : flow.destination);
      if (!filter || judgements.at(-1)?.action === 'deny') continue;
      const judge = (ref: EndpointPolicyRef): Decision =>
        judgePacket(policyOf(ref, state.lists), { direction }, packetOf(flow), sets).decision;
      const decision = judge(filter[direction]);
      const staged = filter.staged && judge(filter.staged[direction]);
      judgements.push({
        direction,
        endpoint: filter.name,
        ...decision,
        ...(staged && staged.action !== decision.action && { staged }),
      });
    }
    return judgements.length === 0 ? [] : [{ ...flow, judgements }];
  });
}

function packetOf({
  source,
  destination,
  protocol,
  destinationPort,
  icmpType,
  icmpCode,
}: FlowCounts) {
  return { source, destination, protocol, destinationPort, icmpType, icmpCode };
}

function policyOf(ref: EndpointPolicyRef, lists: ReadonlyMap<ListId, RuleList>): EndpointPolicy {
  const resolve = (ids: readonly ListId[]): RuleList[] =>
    ids.map((id) => lists.get(id) ?? { name: id, rules: [], missing: 'it is not there' });
  return {
    tiers: ref.tiers.map(({ name, defaultAction, lists: ids }) => ({
      name,
      defaultAction,
      policies: resolve(ids),
    })),
    profiles: resolve(ref.profiles),
  };
}
