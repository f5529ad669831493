import type { AttributeEdits } from './attribute-edits.ts';
import { composeEdits } from './compose-edits.ts';

/** Edits that follow others, equal ones being one object as long as the others are. */
export class EditsAfter {
  readonly #last: AttributeEdits;
  readonly #composed = new Map<AttributeEdits, AttributeEdits>();

  constructor(last: AttributeEdits) {
    this.#last = last;
  }

  /** @param first `undefined`: none. */
  after(first: AttributeEdits | undefined): AttributeEdits {
    if (!first) return this.#last;
    const found = this.#composed.get(first);
    if (found) return found;
    const composed = composeEdits(first, this.#last);
    this.#composed.set(first, composed);
    return composed;
  }
}
