import { DECISION_STEPS, type Decision, type DecisionStep } from './decision.ts';

/** What one step of the decision process did. Candidates are groups. */
interface TracedStep {
  readonly step: DecisionStep;
  /** Before it. */
  readonly candidates: readonly number[];
  /** In the order of the candidates. */
  readonly lost: readonly {
    readonly group: number;
    /** One that beats it. */
    readonly against: number;
  }[];
}

/** What became of a route of equal cost. */
type Share = 'best' | 'multipath' | 'other-as-path' | 'above-max-paths';

/** How the decision process comes to its result. */
export interface DecisionTrace {
  /** Those that were needed, in order. */
  readonly steps: readonly TracedStep[];
  /** What was left when the first tie breaker came: the best, those that share the load with it, the others. */
  readonly equal: readonly { readonly group: number; readonly share: Share }[];
}

/**
 * Goes through the decision process again, one step after the other, for people.
 *
 * @param candidates Groups of the eligible paths, in the order of preference.
 */
export function traceDecision(decision: Decision, candidates: readonly number[]): DecisionTrace {
  const steps: TracedStep[] = [];
  let left = [...candidates];
  let equal: readonly number[] | undefined;
  for (const step of DECISION_STEPS) {
    if (left.length <= 1) break;
    if (step.breaksTie) equal ??= left;
    const kept = decision.survivors(step, left);
    const gone = left.filter((group) => !kept.includes(group));
    const lost = gone.map((group) => ({ group, against: winner(decision, step, group, kept) }));
    steps.push({ step, candidates: left, lost });
    left = kept;
  }
  return { steps, equal: shares(decision, equal ?? left) };
}

/** The best of those that stay that beats what goes. */
function winner(
  decision: Decision,
  step: DecisionStep,
  group: number,
  kept: readonly number[],
): number {
  const beats = (other: number): boolean =>
    decision.compareBy(step, other, group) < 0 && decision.isCompared(step, group, other);
  return kept.find(beats) ?? 0;
}

function shares(decision: Decision, equal: readonly number[]): DecisionTrace['equal'] {
  const chosen = [...equal];
  if (chosen.length > 0) chosen.length = decision.share(chosen, chosen.length);
  const [best = 0] = chosen;
  return equal.map((group) => {
    if (group === best) return { group, share: 'best' };
    if (chosen.includes(group)) return { group, share: 'multipath' };
    return { group, share: decision.mayShare(best, group) ? 'above-max-paths' : 'other-as-path' };
  });
}
