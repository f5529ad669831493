import type { AttributeEdits } from '../policy/attribute-edits.ts';
import type {
  CompiledPolicy,
  PrefixVerdicts,
  RouteFacts,
  RuleTrace,
  Verdict,
} from '../policy/compiled-policy.ts';
import { Int32Column } from './memory/column.ts';
import { GroupFlag } from './path-groups.ts';
import type { RibTables } from './rib-tables.ts';

const UNKNOWN = 0;
const PER_PREFIX = -1;

/** The export filters of a class of peers, and what they have said of each group. */
export class ExportPolicy {
  readonly #filters: CompiledPolicy;
  readonly #isEbgp: boolean;
  readonly #tables: RibTables;
  /** By group: the index of the verdict and one more, or one of the above. */
  readonly #answers = new Int32Column();
  readonly #verdicts: Verdict[] = [];
  /** Of groups whose prefixes differ. */
  readonly #perPrefix = new Map<number, PrefixVerdicts>();

  constructor(filters: CompiledPolicy, isEbgp: boolean, tables: RibTables) {
    this.#filters = filters;
    this.#isEbgp = isEbgp;
    this.#tables = tables;
    tables.groupWatchers.add(this);
  }

  /** What the filters say of a prefix of a group. */
  verdict(group: number, prefix: number): Verdict {
    const answer = this.#answers.get(group) || this.#ask(group);
    if (answer !== PER_PREFIX) return this.#verdicts[answer - 1] as Verdict;
    const { prefixes, words } = this.#tables;
    prefixes.readWords(prefix, words, 0);
    const rules = this.#perPrefix.get(group) as PrefixVerdicts;
    return rules.verdict(words, 0, prefixes.length(prefix));
  }

  /** Which rules hold for a prefix of a group, for people. */
  trace(group: number, prefix: number): readonly RuleTrace[] {
    const { prefixes, words } = this.#tables;
    prefixes.readWords(prefix, words, 0);
    return this.#filters.trace(this.#factsOf(group), words, prefixes.length(prefix));
  }

  /** Whether prefixes of a group may get different verdicts. */
  splits(group: number): boolean {
    return (this.#answers.get(group) || this.#ask(group)) === PER_PREFIX;
  }

  /** The group is no more; its number may come to stand for another one. */
  forget(group: number): void {
    if (this.#answers.get(group) === UNKNOWN) return;
    this.#answers.set(group, UNKNOWN);
    this.#perPrefix.delete(group);
  }

  get needsInterface(): boolean {
    return this.#filters.needsInterface;
  }

  /** Changes of whatever is accepted. */
  get last(): AttributeEdits {
    return this.#filters.last;
  }

  get setsNextHop(): boolean {
    return this.#filters.setsNextHop;
  }

  get needsOrigin(): boolean {
    return this.#filters.needsOrigin;
  }

  /** Interfaces changed: what depends on them is asked again. */
  linksChanged(): void {
    if (!this.needsInterface) return;
    this.#answers.clear();
    this.#perPrefix.clear();
  }

  /** Nobody uses it any more. */
  dispose(): void {
    this.#tables.groupWatchers.delete(this);
  }

  #factsOf(group: number): RouteFacts {
    const { groups } = this.#tables;
    const session = {
      isEbgp: this.#isEbgp,
      isLearned: !groups.has(group, GroupFlag.Originated),
    };
    const [attribute, nextHop] = [groups.attribute(group), groups.nextHop(group)];
    return this.#tables.routeFacts(attribute, nextHop, session, this.#filters);
  }

  #ask(group: number): number {
    const said = this.#filters.of(this.#factsOf(group));
    if (said.kind === 'prefix-verdicts') {
      this.#perPrefix.set(group, said);
      this.#answers.set(group, PER_PREFIX);
      return PER_PREFIX;
    }
    this.#verdicts[said.index] = said;
    this.#answers.set(group, said.index + 1);
    return said.index + 1;
  }
}
