import type { FlowStep } from '@overland/felix/policy';

/** What decided at a step: `ingress of workload prod/db: rule 2 of NetworkPolicy prod/db`. */
export function reasonText({ place, direction, judgement, note }: FlowStep): string {
  const { list, rule = 0, reason = note } = judgement?.decision ?? {};
  return `${direction} of ${place}: ${list === undefined ? reason : `rule ${rule + 1} of ${list}`}`;
}
