import type { NftChange, NftContent } from '@overland/linux';
import type { NftChainObject, NftSetObject } from '../../calc/nftables/nft-objects.ts';
import { compareTable } from './compare-table.ts';
import { planTable, type WantedSet } from './plan-table.ts';
import { ABSENT, StaleParts } from './stale-parts.ts';

interface MutableSet extends WantedSet {
  readonly elements: Map<string, string | undefined>;
}

/** Changes for one transaction. */
export interface TablePlan {
  readonly changes: readonly NftChange[];
  /** To be called if they were not made. */
  readonly undo: () => void;
}

export interface PlanScope {
  /** Without it everything of ours that is not wanted stays, members of sets too. */
  readonly mayRemove: boolean;
  /** Names of chains and sets, and keys of elements of maps, that are looked at; absent: all. */
  readonly only?: ReadonlySet<string>;
}

/**
 * A table of the kernel that is wholly ours: what it should hold, and what of it may differ. It remembers no copy of
 * what the kernel holds, only the differences, so that a change costs what it changes.
 */
export class KernelTable {
  readonly name: string;
  readonly #chains = new Map<string, NftChainObject>();
  readonly #sets = new Map<string, MutableSet>();
  /** `undefined`: the kernel must be read. */
  #stale: StaleParts | undefined;

  constructor(name: string) {
    this.name = name;
  }

  /** Whether it is not known what the kernel holds. */
  get isInDoubt(): boolean {
    return this.#stale === undefined;
  }

  get sets(): ReadonlyMap<string, WantedSet> {
    return this.#sets;
  }

  doubt(): void {
    this.#stale = undefined;
  }

  /**
   * Takes over what the kernel holds.
   *
   * @param fingerprint What the kernel says of a rule with this text.
   * @returns How many parts of it differ from what is wanted, and those that are not wanted.
   */
  read(content: NftContent | undefined, fingerprint: (rule: string) => string): number {
    const { stale, differences } = compareTable(
      { chains: this.#chains, sets: this.#sets },
      content,
      fingerprint,
    );
    this.#stale = stale;
    return differences;
  }

  /** @param chain `undefined`: it is not wanted. */
  setChain(name: string, chain: NftChainObject | undefined): void {
    const before = this.#chains.get(name);
    if (before && chain && sameRules(before, chain)) return;
    if (chain) this.#chains.set(name, chain);
    else this.#chains.delete(name);
    noteName(this.#stale?.chains, name, before !== undefined, chain !== undefined);
  }

  /** @param set `undefined`: it is not wanted. A set keeps its type: another one has another name. */
  setSet(name: string, set: NftSetObject | undefined): void {
    const before = this.#sets.get(name);
    const elements = new Map(set?.elements.map(({ key, verdict }) => [key, verdict]));
    if (before && set) {
      const gone = [...before.elements.keys()].filter((key) => !elements.has(key));
      this.changeElements(name, { add: elements, remove: gone });
      return;
    }
    if (set) this.#sets.set(name, { ...set, elements });
    else this.#sets.delete(name);
    this.#stale?.elements.delete(name);
    noteName(this.#stale?.sets, name, before !== undefined, set !== undefined);
    if (set?.verdicts) this.#stale?.noteAbsent(name, elements.keys());
  }

  /** Changes elements of a set that is wanted. */
  changeElements(
    name: string,
    change: {
      readonly add: Iterable<readonly [key: string, verdict: string | undefined]>;
      readonly remove: Iterable<string>;
    },
  ): void {
    const set = this.#sets.get(name);
    if (!set) throw new RangeError(`there is no set ${name}`);
    const { elements, verdicts } = set;
    const stale = !verdicts && this.#stale?.sets.has(name) ? undefined : this.#stale;
    const note = (key: string): void => {
      stale?.noteElement(name, key, elements.has(key) ? elements.get(key) : ABSENT);
    };
    for (const key of change.remove) {
      if (!elements.has(key)) continue;
      note(key);
      elements.delete(key);
    }
    for (const [key, verdict] of change.add) {
      if (elements.has(key) && elements.get(key) === verdict) continue;
      note(key);
      elements.set(key, verdict);
    }
  }

  /** What is to be done. It counts as done until the plan is undone. */
  plan(scope: PlanScope): TablePlan {
    if (!this.#stale) throw new RangeError(`${this.name}: the kernel has not been read`);
    const [taken, left] = this.#split(this.#stale, scope);
    this.#stale = left;
    const wanted = { chains: this.#chains, sets: this.#sets };
    return {
      changes: planTable(this.name, wanted, taken),
      undo: () => this.#stale?.restore(taken),
    };
  }

  /** Stale parts that are to be written now, and those that are not. */
  #split(stale: StaleParts, { mayRemove, only }: PlanScope): [StaleParts, StaleParts] {
    const [taken, left] = [new StaleParts(), new StaleParts()];
    taken.isTableStale = stale.isTableStale;
    const isIn = (name: string): boolean => only === undefined || only.has(name);
    for (const [name, was] of stale.chains) {
      const isTaken = isIn(name) && (mayRemove || this.#chains.has(name));
      (isTaken ? taken : left).chains.set(name, was);
    }
    for (const [name, was] of stale.sets) {
      const isTaken = isIn(name) && (mayRemove || this.#sets.has(name));
      (isTaken ? taken : left).sets.set(name, was);
    }
    for (const [name, elements] of stale.elements) {
      const set = this.#sets.get(name);
      // All members of a new set are written with it.
      if (!set || (!set.verdicts && stale.sets.has(name))) continue;
      const isRemoval = (key: string): boolean => !set.elements.has(key);
      // What would come in place of a prefix that has to stay would overlap with it.
      const mustStay = !mayRemove && set.interval === true && [...elements.keys()].some(isRemoval);
      for (const [key, held] of elements) {
        const isTaken =
          isIn(set.verdicts ? key : name) && !mustStay && (mayRemove || !isRemoval(key));
        (isTaken ? taken : left).noteElement(name, key, held);
      }
    }
    return [taken, left];
  }
}

/** Notes a name that has changed, with whether the kernel has it. */
function noteName(
  stale: Map<string, boolean> | undefined,
  name: string,
  was: boolean,
  isWanted: boolean,
): void {
  if (!stale) return;
  const isHeld = stale.get(name) ?? was;
  if (isHeld || isWanted) stale.set(name, isHeld);
  else stale.delete(name);
}

function sameRules(a: NftChainObject, b: NftChainObject): boolean {
  return a.rules.length === b.rules.length && a.rules.every((rule, i) => rule === b.rules[i]);
}
