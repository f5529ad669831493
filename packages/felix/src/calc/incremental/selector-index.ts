import type { Expression, Labels } from '@overland/model';
import { type Anchor, anchorsOf, type LabelPattern } from './anchors.ts';

/** Whatever selects by labels. Two with equal expressions are two. */
export interface Selector {
  readonly expression: Expression;
}

interface OfKey<S> {
  readonly any: Set<S>;
  readonly byValue: Map<string, Set<S>>;
}

/** Selectors by what labels must have for them to hold, so that labels are compared with few of them. */
export class SelectorIndex<S extends Selector> {
  /** Those that may hold for labels of any kind. */
  readonly #unanchored = new Set<S>();
  readonly #byKey = new Map<string, OfKey<S>>();
  readonly #anchors = new Map<S, Anchor | undefined>();

  add(selector: S): void {
    if (this.#anchors.has(selector)) return;
    const anchor = this.#sparsest(anchorsOf(selector.expression));
    this.#anchors.set(selector, anchor);
    if (anchor === undefined) this.#unanchored.add(selector);
    for (const pattern of anchor ?? []) this.#open(pattern).add(selector);
  }

  delete(selector: S): void {
    for (const pattern of this.#anchors.get(selector) ?? []) this.#close(pattern, selector);
    this.#unanchored.delete(selector);
    this.#anchors.delete(selector);
  }

  /** Visits every selector that may hold for the labels, some of them more than once. */
  visit(labels: Labels, visitor: (selector: S) => void): void {
    for (const selector of this.#unanchored) visitor(selector);
    for (const key of Object.keys(labels)) {
      const ofKey = this.#byKey.get(key);
      if (!ofKey) continue;
      for (const selector of ofKey.any) visitor(selector);
      for (const selector of ofKey.byValue.get(labels[key] ?? '') ?? []) visitor(selector);
    }
  }

  /** The anchor that shares its places with the fewest selectors: such as the app, not the namespace. */
  #sparsest(anchors: readonly Anchor[]): Anchor | undefined {
    let best: Anchor | undefined;
    let fewest = Number.POSITIVE_INFINITY;
    for (const anchor of anchors) {
      const size = anchor.reduce((sum, pattern) => sum + this.#sizeAt(pattern), 0);
      if (size >= fewest) continue;
      best = anchor;
      fewest = size;
    }
    return best;
  }

  #sizeAt({ key, value }: LabelPattern): number {
    const ofKey = this.#byKey.get(key);
    // A place for any value is looked at more often than one for a certain one.
    if (value === undefined) return 1 + (ofKey?.any.size ?? 0);
    return ofKey?.byValue.get(value)?.size ?? 0;
  }

  #open({ key, value }: LabelPattern): Set<S> {
    let ofKey = this.#byKey.get(key);
    if (!ofKey) {
      ofKey = { any: new Set(), byValue: new Map() };
      this.#byKey.set(key, ofKey);
    }
    if (value === undefined) return ofKey.any;
    let selectors = ofKey.byValue.get(value);
    if (!selectors) {
      selectors = new Set();
      ofKey.byValue.set(value, selectors);
    }
    return selectors;
  }

  #close({ key, value }: LabelPattern, selector: S): void {
    const ofKey = this.#byKey.get(key);
    if (!ofKey) return;
    if (value === undefined) ofKey.any.delete(selector);
    else {
      const selectors = ofKey.byValue.get(value);
      selectors?.delete(selector);
      if (selectors?.size === 0) ofKey.byValue.delete(value);
    }
    if (ofKey.any.size + ofKey.byValue.size === 0) this.#byKey.delete(key);
  }
}
