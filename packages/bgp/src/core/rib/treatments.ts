import type { AttributeEdits } from '../policy/attribute-edits.ts';
import type { Refusal } from './refusal.ts';

/** What the import policy makes of a path. */
export interface Treatment {
  /** `undefined`: it is accepted. */
  readonly refusal: Refusal | undefined;
  /** `undefined`: it is kept as received. */
  readonly edits: AttributeEdits | undefined;
}

/** The treatment of what no policy touches. */
export const AS_RECEIVED = 0;

/**
 * Treatments as small integers, part of what makes paths a group. The same treatment is the same integer whatever
 * policy it comes from, so that a new policy moves only those paths that it treats otherwise. There are about as
 * many as rules of filters, and they are kept.
 */
export class Treatments {
  readonly #all: Treatment[] = [{ refusal: undefined, edits: undefined }];
  readonly #ids = new Map<string, number>([[JSON.stringify(this.#all[AS_RECEIVED]), AS_RECEIVED]]);
  /** Of what import changes make longer than can be kept. */
  readonly tooLong = this.refusal({ reason: 'attributes-too-long' });

  get(id: number): Treatment {
    return this.#all[id] as Treatment;
  }

  refusal(refusal: Refusal): number {
    return this.#intern({ refusal, edits: undefined });
  }

  edits(edits: AttributeEdits): number {
    return this.#intern({ refusal: undefined, edits });
  }

  #intern(treatment: Treatment): number {
    const key = JSON.stringify(treatment);
    const found = this.#ids.get(key);
    if (found !== undefined) return found;
    const id = this.#all.push(treatment) - 1;
    this.#ids.set(key, id);
    return id;
  }
}
