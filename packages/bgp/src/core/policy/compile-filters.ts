import { type Family, familyOf } from '@overland/net';
import { OriginValidation } from '../rpki/origin-validation.ts';
import type { OriginState } from '../rpki/vrp-table.ts';
import { originAs } from '../wire/as-path.ts';
import type { AttributeEdits } from './attribute-edits.ts';
import type {
  CompiledPolicy,
  PrefixVerdicts,
  RouteFacts,
  RuleTrace,
  Verdict,
} from './compiled-policy.ts';
import { editsKey, editsOf, NO_EDITS } from './compose-edits.ts';
import { describeEdits } from './describe-edits.ts';
import { type Outcome, type OutcomeRule, Outcomes } from './outcomes.ts';
import { type PrefixTest, prefixTest } from './prefix-test.ts';
import type { FilterRule, RouteFilter } from './route-filter.ts';
import { RouteReader } from './route-reader.ts';
import { type RouteTest, routeTests } from './route-test.ts';

/**
 * Most rules of a policy that continue with changes. Each combination of them may become a verdict of its own, and
 * a peer chooses the combinations by what it sends.
 */
const MAX_CHANGING_CONTINUES = 10;

interface CompiledRule extends OutcomeRule {
  readonly continues: boolean;
  readonly tests: readonly RouteTest[];
  readonly prefix: PrefixTest | undefined;
  /** What the origin must be. */
  readonly rpki: OriginState | undefined;
}

/**
 * Compiles the filters of one direction of a session, in order, for one family. Rules that cannot hold for the
 * family are left out.
 *
 * @param last Changes of whatever is accepted, after those of the rules.
 * @param asn Ours, in communities that tell who says so.
 * @param origins For conditions on the origin; without it there are no VRPs.
 * @throws {RangeError} If a community is none, or more than 10 rules continue with changes.
 */
export function compileFilters(
  filters: readonly RouteFilter[],
  family: Family,
  {
    last = NO_EDITS,
    origins = new OriginValidation(),
    asn = 0,
  }: {
    readonly last?: AttributeEdits | undefined;
    readonly origins?: OriginValidation;
    readonly asn?: number;
  } = {},
): CompiledPolicy {
  const named = filters.flatMap(({ name, rules }) =>
    rules.flatMap((rule, i) =>
      isOfFamily(rule, family) ? [{ label: labelOf(name, rule, i), rule }] : [],
    ),
  );
  const changing = named.filter(({ rule }) => rule.action === 'continue' && rule.set);
  if (changing.length > MAX_CHANGING_CONTINUES) {
    throw new RangeError(
      `${changing.length} rules continue with changes: at most ${MAX_CHANGING_CONTINUES} may`,
    );
  }
  return new Policy(named, last, { family, origins, asn });
}

/** `FILTER[2]`, or `FILTER/RULE` of a rule with a name. */
function labelOf(filter: string, { name }: FilterRule, index: number): string {
  return name === undefined ? `${filter}[${index}]` : `${filter}/${name}`;
}

function isOfFamily({ family, match }: FilterRule, wanted: Family): boolean {
  if (family !== undefined && family !== wanted) return false;
  return match?.prefix === undefined || familyOf(match.prefix.prefix) === wanted;
}

interface NamedRule {
  readonly label: string;
  readonly rule: FilterRule;
}

class Policy implements CompiledPolicy {
  readonly id: string;
  readonly last: AttributeEdits;
  readonly needsNextHop: boolean;
  readonly needsInterface: boolean;
  readonly needsOrigin: boolean;
  readonly setsNextHop: boolean;
  readonly #rules: readonly CompiledRule[];
  readonly #outcomes: Outcomes;
  readonly #lastTrace: readonly RuleTrace[];
  readonly #route = new RouteReader();
  readonly #family: Family;
  readonly #origins: OriginValidation;

  constructor(
    named: readonly NamedRule[],
    last: AttributeEdits,
    {
      family,
      origins,
      asn,
    }: { readonly family: Family; readonly origins: OriginValidation; readonly asn: number },
  ) {
    this.#family = family;
    this.#origins = origins;
    this.needsOrigin = named.some(({ rule }) => rule.match?.rpki !== undefined);
    const lastKey = last === NO_EDITS ? '' : editsKey(last);
    this.id = named.length === 0 && lastKey === '' ? '' : JSON.stringify([named, lastKey]);
    this.#outcomes = new Outcomes(last);
    const changes = describeEdits(last);
    this.last = last;
    this.#lastTrace = changes.length === 0 ? [] : [{ rule: 'always', action: 'continue', changes }];
    this.needsNextHop = named.some(({ rule }) => rule.match?.nextHops !== undefined);
    this.needsInterface = named.some(({ rule }) => rule.match?.interface !== undefined);
    this.setsNextHop = named.some(({ rule }) => rule.set?.nextHop !== undefined);
    this.#rules = named.map((rule, index) => compileRule(rule, index, asn));
  }

  of(facts: RouteFacts): Verdict | PrefixVerdicts {
    this.#route.read(facts.bytes, facts.offset, facts.length);
    let outcome = this.#outcomes.start;
    for (const [i, rule] of this.#rules.entries()) {
      if (!this.#holds(rule, facts)) continue;
      if (asksForPrefix(rule)) return this.#byPrefix(outcome, i, facts);
      if (!rule.continues) return outcome.decidedBy(rule);
      outcome = outcome.after(rule);
    }
    return outcome.undecided();
  }

  trace(facts: RouteFacts, words: Int32Array, lengthBits: number): readonly RuleTrace[] {
    this.#route.read(facts.bytes, facts.offset, facts.length);
    const rules = this.#byPrefix(this.#outcomes.start, 0, facts).holding(words, lengthBits);
    const isRejected = rules.some(({ accepts, continues }) => !accepts && !continues);
    return isRejected ? rules.map(traceOf) : [...rules.map(traceOf), ...this.#lastTrace];
  }

  #holds({ tests }: CompiledRule, facts: RouteFacts): boolean {
    for (const test of tests) if (!test(facts, this.#route)) return false;
    return true;
  }

  /** The rest from rule `first` on, of which only prefixes are still asked for. */
  #byPrefix(outcome: Outcome, first: number, facts: RouteFacts): RemainingRules {
    const rules: CompiledRule[] = [];
    for (const rule of this.#rules.slice(first)) {
      if (!this.#holds(rule, facts)) continue;
      rules.push(rule);
      if (!asksForPrefix(rule) && !rule.continues) break;
    }
    if (!rules.some(({ rpki }) => rpki)) return new RemainingRules(outcome, rules);
    const asn = originAs(this.#route.asPath, this.#origins.ownAsn);
    return new RemainingRules(outcome, rules, new RouteOrigin(this.#family, this.#origins, asn));
  }
}

/** The origin of the routes with an attribute set. */
class RouteOrigin {
  readonly #family: Family;
  readonly #origins: OriginValidation;
  readonly #asn: number;

  constructor(family: Family, origins: OriginValidation, asn: number) {
    this.#family = family;
    this.#origins = origins;
    this.#asn = asn;
  }

  state(words: Int32Array, at: number, lengthBits: number): OriginState {
    return this.#origins.tables[this.#family].state(words, at, lengthBits, this.#asn);
  }
}

function asksForPrefix({ prefix, rpki }: CompiledRule): boolean {
  return prefix !== undefined || rpki !== undefined;
}

class RemainingRules implements PrefixVerdicts {
  readonly kind = 'prefix-verdicts';
  readonly #start: Outcome;
  readonly #rules: readonly CompiledRule[];
  readonly #origin: RouteOrigin | undefined;

  constructor(start: Outcome, rules: readonly CompiledRule[], origin?: RouteOrigin) {
    this.#start = start;
    this.#rules = rules;
    this.#origin = origin;
  }

  verdict(words: Int32Array, at: number, lengthBits: number): Verdict {
    let outcome = this.#start;
    let state: OriginState | undefined;
    for (const rule of this.#rules) {
      if (rule.prefix && !rule.prefix(words, at, lengthBits)) continue;
      if (rule.rpki) {
        state ??= this.#origin?.state(words, at, lengthBits);
        if (rule.rpki !== state) continue;
      }
      if (!rule.continues) return outcome.decidedBy(rule);
      outcome = outcome.after(rule);
    }
    return outcome.undecided();
  }

  /** The rules that {@link verdict} goes by for a prefix. For people. */
  holding(words: Int32Array, lengthBits: number): CompiledRule[] {
    const rules = this.#rules.filter(
      ({ prefix, rpki }) =>
        (!prefix || prefix(words, 0, lengthBits)) &&
        (!rpki || rpki === this.#origin?.state(words, 0, lengthBits)),
    );
    const last = rules.findIndex(({ continues }) => !continues);
    return last < 0 ? rules : rules.slice(0, last + 1);
  }
}

function compileRule({ label, rule }: NamedRule, index: number, asn: number): CompiledRule {
  const { match = {}, action, set = {} } = rule;
  return {
    index,
    label,
    accepts: action === 'accept',
    continues: action === 'continue',
    edits: editsOf(set, asn),
    tests: routeTests(match),
    prefix: match.prefix && prefixTest(match.prefix),
    rpki: match.rpki,
  };
}

function traceOf({ label, continues, accepts, edits }: CompiledRule): RuleTrace {
  const action = continues ? 'continue' : accepts ? 'accept' : 'reject';
  return { rule: label, action, changes: describeEdits(edits) };
}
