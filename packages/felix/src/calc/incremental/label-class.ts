import type { Labels } from '@overland/model';
import type { Anchor, LabelPattern } from './anchors.ts';
import type { CompactSet } from './compact-set.ts';

/** Things whose labels are equal, and have the same ancestors: a selector selects all of them, or none. */
export interface LabelClass<S, I> {
  readonly id: string;
  readonly own: Labels;
  /** Profiles that labels are inherited from, strongest first. */
  readonly parents: readonly string[];
  /** With those that are inherited. */
  labels: Labels;
  readonly items: CompactSet<I>;
  /** Selectors that hold. */
  readonly matches: CompactSet<S>;
}

interface OfKey<C> {
  size: number;
  readonly byValue: Map<string, Set<C>>;
}

/** Classes by their labels and by their parents. Of labels, only those that selectors ask about are indexed. */
export class ClassIndex<S, I, C extends LabelClass<S, I> = LabelClass<S, I>> {
  readonly #all = new Map<string, C>();
  readonly #byKey = new Map<string, OfKey<C>>();
  readonly #byParent = new Map<string, Set<C>>();

  get(id: string): C | undefined {
    return this.#all.get(id);
  }

  add(labelClass: C): void {
    this.#all.set(labelClass.id, labelClass);
    for (const parent of labelClass.parents) setOf(this.#byParent, parent).add(labelClass);
    this.#enter(labelClass);
  }

  delete(labelClass: C): void {
    this.#all.delete(labelClass.id);
    for (const parent of labelClass.parents) {
      const children = this.#byParent.get(parent);
      children?.delete(labelClass);
      if (children?.size === 0) this.#byParent.delete(parent);
    }
    this.#leave(labelClass);
  }

  /** Gives a class that is there other labels. */
  relabel(labelClass: C, labels: Labels): void {
    this.#leave(labelClass);
    labelClass.labels = labels;
    this.#enter(labelClass);
  }

  childrenOf(parent: string): Iterable<C> {
    return this.#byParent.get(parent) ?? [];
  }

  /**
   * Classes among which are all that a selector with these anchors can hold for, by the rarest of the anchors; some may
   * come twice. Classes may be added and removed meanwhile.
   */
  *candidates(anchors: readonly Anchor[]): Iterable<C> {
    let rarest: Anchor | undefined;
    let fewest = this.#all.size;
    for (const anchor of anchors) {
      const size = anchor.reduce((sum, pattern) => sum + this.#sizeOf(pattern), 0);
      if (size > fewest) continue;
      rarest = anchor;
      fewest = size;
    }
    if (rarest === undefined) yield* this.#all.values();
    for (const { key, value } of rarest ?? []) {
      const { byValue } = this.#ofKey(key);
      if (value !== undefined) yield* byValue.get(value) ?? [];
      else for (const classes of byValue.values()) yield* classes;
    }
  }

  #sizeOf({ key, value }: LabelPattern): number {
    const { size, byValue } = this.#ofKey(key);
    return value === undefined ? size : (byValue.get(value)?.size ?? 0);
  }

  #ofKey(key: string): OfKey<C> {
    const known = this.#byKey.get(key);
    if (known) return known;
    const ofKey: OfKey<C> = { size: 0, byValue: new Map() };
    this.#byKey.set(key, ofKey);
    for (const labelClass of this.#all.values()) enter(ofKey, key, labelClass);
    return ofKey;
  }

  #enter(labelClass: C): void {
    for (const [key, ofKey] of this.#indexed(labelClass)) enter(ofKey, key, labelClass);
  }

  #leave(labelClass: C): void {
    for (const [key, ofKey] of this.#indexed(labelClass)) {
      const value = labelClass.labels[key] ?? '';
      const classes = ofKey.byValue.get(value);
      if (!classes?.delete(labelClass)) continue;
      ofKey.size--;
      if (classes.size === 0) ofKey.byValue.delete(value);
    }
  }

  *#indexed({ labels }: C): Iterable<[string, OfKey<C>]> {
    for (const key of Object.keys(labels)) {
      const ofKey = this.#byKey.get(key);
      if (ofKey) yield [key, ofKey];
    }
  }
}

function enter<C extends { readonly labels: Labels }>(ofKey: OfKey<C>, key: string, labelClass: C) {
  const { labels } = labelClass;
  if (!Object.hasOwn(labels, key)) return;
  ofKey.size++;
  setOf(ofKey.byValue, labels[key] ?? '').add(labelClass);
}

function setOf<V>(sets: Map<string, Set<V>>, key: string): Set<V> {
  let found = sets.get(key);
  if (!found) {
    found = new Set();
    sets.set(key, found);
  }
  return found;
}
