import type {
  CompiledPolicy,
  PrefixVerdicts,
  RouteFacts,
  RuleTrace,
  Verdict,
} from '../policy/compiled-policy.ts';
import type { ImportSafety } from './import-safety.ts';
import type { ImportSafetyReason } from './refusal.ts';
import { AS_RECEIVED, type Treatments } from './treatments.ts';

/** What an import policy says of an attribute set: a treatment, or rules that must be asked for each prefix. */
export type Judgement = number | PrefixJudgement;

export interface PrefixJudgement {
  /** @param words Words of the address from `at` on, most significant first. */
  treatment(words: Int32Array, at: number, lengthBits: number): number;
}

/** How an import policy comes to what it makes of a route. */
export interface ImportTrace {
  /** What the built-in checks have against it. */
  readonly unsafe: ImportSafetyReason | undefined;
  /** Rules of filters that hold. */
  readonly rules: readonly RuleTrace[];
  readonly treatment: number;
}

/** The import policy of one peer for one family: the built-in checks, then the filters. Immutable. */
export class ImportPolicy {
  /** Equal for policies that treat every route alike. */
  readonly id: string;
  readonly needsNextHop: boolean;
  readonly needsInterface: boolean;
  /** Whether what it says of a prefix depends on VRPs. */
  readonly needsOrigin: boolean;
  readonly #safety: ImportSafety | undefined;
  readonly #filters: CompiledPolicy | undefined;
  readonly #treatments: Treatments;
  /** By index of the verdict. */
  readonly #byVerdict: (number | undefined)[] = [];
  readonly #unsafe = new Map<ImportSafetyReason, number>();

  constructor(
    { safety, filters }: { safety: ImportSafety | undefined; filters: CompiledPolicy | undefined },
    treatments: Treatments,
  ) {
    this.#safety = safety;
    this.#filters = filters;
    this.#treatments = treatments;
    this.needsNextHop = filters?.needsNextHop ?? false;
    this.needsInterface = filters?.needsInterface ?? false;
    this.needsOrigin = filters?.needsOrigin ?? false;
    this.id = JSON.stringify([safety?.id, filters?.id]);
  }

  /** What decides about one route, for people. */
  trace(route: RouteFacts, words: Int32Array, lengthBits: number): ImportTrace {
    const unsafe = this.#safety?.refusalOf(words, 0, lengthBits);
    const rules = unsafe ? [] : (this.#filters?.trace(route, words, lengthBits) ?? []);
    const judgement = this.judge(route);
    const treatment =
      typeof judgement === 'number' ? judgement : judgement.treatment(words, 0, lengthBits);
    return { unsafe, rules, treatment };
  }

  judge(route: RouteFacts): Judgement {
    const answer = this.#filters?.of(route);
    const safety = this.#safety;
    if (safety) {
      return {
        treatment: (words, at, lengthBits) => {
          const reason = safety.refusalOf(words, at, lengthBits);
          if (reason !== undefined) return this.#unsafeTreatment(reason);
          return this.#filtered(answer, words, at, lengthBits);
        },
      };
    }
    if (answer?.kind !== 'prefix-verdicts') return answer ? this.#treatment(answer) : AS_RECEIVED;
    return {
      treatment: (words, at, lengthBits) => this.#treatment(answer.verdict(words, at, lengthBits)),
    };
  }

  #filtered(
    answer: Verdict | PrefixVerdicts | undefined,
    words: Int32Array,
    at: number,
    lengthBits: number,
  ): number {
    if (answer === undefined) return AS_RECEIVED;
    if (answer.kind === 'verdict') return this.#treatment(answer);
    return this.#treatment(answer.verdict(words, at, lengthBits));
  }

  /** What is accepted unchanged is one treatment, whichever rule accepts it: its paths stay together. */
  #treatment(verdict: Verdict): number {
    const known = this.#byVerdict[verdict.index];
    if (known !== undefined) return known;
    const treatment = this.#treatmentOf(verdict);
    this.#byVerdict[verdict.index] = treatment;
    return treatment;
  }

  #treatmentOf({ accepted, rule, edits }: Verdict): number {
    if (!accepted) return this.#treatments.refusal({ reason: 'filter', rule });
    return edits ? this.#treatments.edits(edits) : AS_RECEIVED;
  }

  #unsafeTreatment(reason: ImportSafetyReason): number {
    const known = this.#unsafe.get(reason);
    if (known !== undefined) return known;
    const treatment = this.#treatments.refusal({ reason });
    this.#unsafe.set(reason, treatment);
    return treatment;
  }
}
