import type { PolicyEndpoint } from './endpoint.ts';
import { isFailsafe, isUntrackedFailsafe } from './host-rules.ts';
import { type Judgement, judgePacket } from './judge-packet.ts';
import type { Packet } from './match-rule.ts';
import type { Direction, PolicyHook, PolicyView } from './policy-view.ts';

/** What becomes of a packet at one place of its way through a host endpoint. */
export interface HostStage {
  readonly hook: PolicyHook;
  /** `undefined`: the packet passes a failsafe port, and nobody was asked. */
  readonly judgement: Judgement | undefined;
}

/** How a packet meets a host endpoint. */
export interface HostPassage {
  readonly node: string;
  readonly endpoint: PolicyEndpoint;
  /** As the host sees it: what comes in is ingress, also where it goes on to a workload. */
  readonly direction: Direction;
  readonly isForwarded: boolean;
}

/**
 * The places at which policies of a host endpoint are asked about a packet, in order, up to the one that decides. Where
 * no policy is asked there is none, but for the last place of what the host itself sends or gets. calico.md section 5.2.
 */
export function judgeAtHost(
  { node, endpoint, direction, isForwarded }: HostPassage,
  packet: Packet,
  view: PolicyView,
): HostStage[] {
  const rules = view.hostRulesOf(node);
  const stages: HostStage[] = [];
  for (const hook of hooksOf(endpoint, direction, isForwarded)) {
    const isLast = hook === 'normal' || hook === 'forward';
    const policy = view.policyOf(endpoint, direction, hook);
    if (policy.tiers.length === 0 && hook !== 'normal') continue;
    // Whether it will be forwarded is not known before it is routed.
    const isOpen =
      hook === 'untracked'
        ? isUntrackedFailsafe(rules, direction, packet)
        : hook !== 'forward' && isFailsafe(rules, direction, packet);
    if (isOpen) {
      if (isLast) stages.push({ hook, judgement: undefined });
      continue;
    }
    const judgement = judgePacket(policy, { direction, hook }, packet, view.sets);
    stages.push({ hook, judgement });
    // What an early policy allows is not asked about again here.
    const { action, rule } = judgement.decision;
    if (action === 'deny' || rule !== undefined) break;
  }
  return stages;
}

function hooksOf(
  { interfaceName }: PolicyEndpoint,
  direction: Direction,
  isForwarded: boolean,
): PolicyHook[] {
  const last = isForwarded ? 'forward' : 'normal';
  // All interfaces together have no untracked policy, as in Calico.
  const early: PolicyHook[] = interfaceName === '*' ? [] : ['untracked'];
  if (direction === 'ingress') return [...early, 'preDNAT', last];
  return isForwarded ? [last] : [...early, last];
}
