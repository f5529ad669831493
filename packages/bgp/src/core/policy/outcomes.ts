import type { AttributeEdits } from './attribute-edits.ts';
import type { Verdict } from './compiled-policy.ts';
import { composeEdits, editsKey, NO_EDITS } from './compose-edits.ts';

/** What the walk through the rules needs of a rule. */
export interface OutcomeRule {
  /** Place among the rules of the policy. */
  readonly index: number;
  readonly label: string;
  readonly accepts: boolean;
  readonly edits: AttributeEdits;
}

type VerdictFacts = Omit<Verdict, 'kind' | 'index'>;

/**
 * The verdicts of one policy, made when they first come up and the same objects from then on. The walk goes from
 * outcome to outcome, so nothing is made for a route whose like was seen before.
 */
export class Outcomes {
  readonly start: Outcome;
  readonly #last: AttributeEdits;
  readonly #byEdits = new Map<string, Outcome>();
  readonly #verdicts = new Map<string, Verdict>();

  /** @param last Changes of whatever is accepted, after those of the rules. */
  constructor(last: AttributeEdits = NO_EDITS) {
    this.#last = last;
    this.start = this.withEdits(NO_EDITS);
  }

  withEdits(edits: AttributeEdits): Outcome {
    const key = editsKey(edits);
    let outcome = this.#byEdits.get(key);
    if (!outcome) {
      outcome = new Outcome(this, key === editsKey(NO_EDITS) ? undefined : edits);
      this.#byEdits.set(key, outcome);
    }
    return outcome;
  }

  /** @param rule The place of the rule that decided. */
  verdict(rule: number | 'default', facts: VerdictFacts): Verdict {
    const key = `${rule} ${editsKey(facts.edits ?? NO_EDITS)}`;
    let verdict = this.#verdicts.get(key);
    if (!verdict) {
      const edits = facts.accepted ? this.#finalEdits(facts.edits) : undefined;
      verdict = { kind: 'verdict', index: this.#verdicts.size, ...facts, edits };
      this.#verdicts.set(key, verdict);
    }
    return verdict;
  }

  /** Equal edits are one object, as {@link withEdits} sees to. */
  #finalEdits(edits: AttributeEdits | undefined): AttributeEdits | undefined {
    if (this.#last === NO_EDITS) return edits;
    return this.withEdits(composeEdits(edits ?? NO_EDITS, this.#last)).edits;
  }
}

/** Where the walk stands: the edits of the rules that matched so far. */
export class Outcome {
  /** `undefined`: none. */
  readonly edits: AttributeEdits | undefined;
  readonly #outcomes: Outcomes;
  /** By rule: where it leads, if it continues. */
  readonly #after: (Outcome | undefined)[] = [];
  /** By rule: the verdict, if it ends the walk. */
  readonly #decided: (Verdict | undefined)[] = [];
  #undecided: Verdict | undefined;

  constructor(outcomes: Outcomes, edits: AttributeEdits | undefined) {
    this.#outcomes = outcomes;
    this.edits = edits;
  }

  /** After a rule that continues. */
  after(rule: OutcomeRule): Outcome {
    let next = this.#after[rule.index];
    if (!next) {
      next = this.#outcomes.withEdits(composeEdits(this.edits ?? NO_EDITS, rule.edits));
      this.#after[rule.index] = next;
    }
    return next;
  }

  /** With a rule that accepts or rejects. */
  decidedBy(rule: OutcomeRule): Verdict {
    let verdict = this.#decided[rule.index];
    if (!verdict) {
      const { index, label, accepts } = rule;
      const edits = accepts ? this.after(rule).edits : undefined;
      const facts = { accepted: accepts, isDefault: false, rule: label, edits };
      verdict = this.#outcomes.verdict(index, facts);
      this.#decided[index] = verdict;
    }
    return verdict;
  }

  /** At the end of the rules. */
  undecided(): Verdict {
    this.#undecided ??= this.#outcomes.verdict('default', {
      accepted: true,
      isDefault: true,
      rule: 'default',
      edits: this.edits,
    });
    return this.#undecided;
  }
}
