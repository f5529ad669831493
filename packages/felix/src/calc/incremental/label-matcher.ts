import { inheritLabels, type Labels, matches, type ProfileLabels } from '@overland/model';
import { anchorsOf } from './anchors.ts';
import { CompactSet } from './compact-set.ts';
import { ClassIndex, type LabelClass } from './label-class.ts';
import { type Selector, SelectorIndex } from './selector-index.ts';

/** Told when a selector begins or ceases to hold for a class. Of items that come and go with it the mover knows. */
export interface MatchListener<S, I> {
  matched(selector: S, labelClass: LabelClass<S, I>): void;
  unmatched(selector: S, labelClass: LabelClass<S, I>): void;
}

/** Work that can be left and taken up again; yields how many units it has done. Other changes may come between. */
export type Work = Generator<number, void, undefined>;

/**
 * Which selectors hold for which things, kept while both change. Depends on the selectors, things and profiles that
 * there are, not on how they came: the same change twice is one. Compares the labels of a class once for all of its
 * things, and only with selectors that can hold for them.
 */
export class LabelMatcher<S extends Selector, I> {
  readonly #selectors = new SelectorIndex<S>();
  readonly #classes = new ClassIndex<S, I>();
  readonly #parentLabels: ProfileLabels;
  readonly #listener: MatchListener<S, I>;
  /** Classes that a profile has changed for, and that have not been compared anew. */
  readonly #stale = new Set<LabelClass<S, I>>();
  /** Selectors that have not been compared with all that was there before them. */
  readonly #unscanned = new Set<S>();

  constructor(parentLabels: ProfileLabels, listener: MatchListener<S, I>) {
    this.#parentLabels = parentLabels;
    this.#listener = listener;
  }

  /**
   * The class of these labels, for a thing to be added to its items.
   *
   * @param own Labels without inherited ones; not changed afterwards.
   * @param parents Profiles that labels are inherited from, strongest first.
   */
  classOf(own: Labels, parents: readonly string[]): LabelClass<S, I> {
    const id = classId(own, parents);
    return this.#classes.get(id) ?? this.#open(id, own, parents);
  }

  /** Takes a thing out of its class. */
  leave(item: I, labelClass: LabelClass<S, I>): void {
    labelClass.items.delete(item);
    if (labelClass.items.size > 0) return;
    this.#classes.delete(labelClass);
    this.#stale.delete(labelClass);
  }

  /** Has no effect on what was there before until {@link work} has been done. */
  add(selector: S): void {
    this.#selectors.add(selector);
    this.#unscanned.add(selector);
  }

  /** @returns Classes that it held for; the listener is not told. */
  delete(selector: S): LabelClass<S, I>[] {
    this.#selectors.delete(selector);
    this.#unscanned.delete(selector);
    const candidates = this.#classes.candidates(anchorsOf(selector.expression));
    return [...candidates].filter(({ matches: held }) => held.delete(selector));
  }

  /** Takes note that a profile has other labels; see {@link add}. */
  parentChanged(parent: string): void {
    for (const labelClass of this.#classes.childrenOf(parent)) this.#stale.add(labelClass);
  }

  /** Whether something waits to be compared. */
  get hasWork(): boolean {
    return this.#stale.size + this.#unscanned.size > 0;
  }

  /** Compares what waits. */
  *work(): Work {
    for (const labelClass of this.#stale) {
      this.#stale.delete(labelClass);
      this.#inheritAnew(labelClass);
      yield 1 + labelClass.matches.size;
    }
    for (const selector of this.#unscanned) {
      yield* this.#scan(selector);
      this.#unscanned.delete(selector);
    }
  }

  /** Classes that come or change while this rests have been compared with the selector by then. */
  *#scan(selector: S): Work {
    const { expression } = selector;
    yield 1;
    for (const labelClass of this.#classes.candidates(anchorsOf(expression))) {
      if (!this.#unscanned.has(selector)) return;
      let units = 1;
      if (!labelClass.matches.has(selector) && matches(expression, labelClass.labels)) {
        labelClass.matches.add(selector);
        this.#listener.matched(selector, labelClass);
        units += labelClass.items.size;
      }
      yield units;
    }
  }

  #open(id: string, own: Labels, parents: readonly string[]): LabelClass<S, I> {
    const labels = this.#inherited(own, parents);
    const items = new CompactSet<I>();
    const labelClass = { id, own, parents, labels, items, matches: this.#compare(labels) };
    this.#classes.add(labelClass);
    return labelClass;
  }

  #inherited(own: Labels, parents: readonly string[]): Labels {
    const inherited = parents.map(this.#parentLabels);
    return inherited.every((labels) => labels === undefined) ? own : inheritLabels(own, inherited);
  }

  #compare(labels: Labels): CompactSet<S> {
    const found = new CompactSet<S>();
    this.#selectors.visit(labels, (selector) => {
      if (!found.has(selector) && matches(selector.expression, labels)) found.add(selector);
    });
    return found;
  }

  #inheritAnew(labelClass: LabelClass<S, I>): void {
    this.#classes.relabel(labelClass, this.#inherited(labelClass.own, labelClass.parents));
    const found = this.#compare(labelClass.labels);
    for (const selector of [...labelClass.matches]) {
      if (found.has(selector)) continue;
      labelClass.matches.delete(selector);
      this.#listener.unmatched(selector, labelClass);
    }
    for (const selector of found) {
      if (labelClass.matches.has(selector)) continue;
      labelClass.matches.add(selector);
      this.#listener.matched(selector, labelClass);
    }
  }
}

/** Labels in another order make another class: that costs a comparison, and sorting each would cost more. */
function classId(own: Labels, parents: readonly string[]): string {
  return JSON.stringify([own, parents]);
}
