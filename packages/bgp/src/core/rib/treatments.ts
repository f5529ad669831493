import type { AttributeEdits } from '../policy/attribute-edits.ts';
import { composeEdits, editsOf, NO_EDITS } from '../policy/compose-edits.ts';
import { NO_LLGR } from '../wire/communities.ts';
import type { Refusal } from './refusal.ts';

/** What the import policy makes of a path. */
export interface Treatment {
  /** `undefined`: it is accepted. */
  readonly refusal: Refusal | undefined;
  /** `undefined`: it is kept as received. */
  readonly edits: AttributeEdits | undefined;
}

const LONG_LIVED_EDITS = editsOf({ communities: { add: ['llgr-stale'] } });

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
  /** By treatment: what becomes of such paths when their peer is long gone. */
  readonly #longLived: (number | undefined)[] = [];

  get(id: number): Treatment {
    return this.#all[id] as Treatment;
  }

  refusal(refusal: Refusal): number {
    return this.#intern({ refusal, edits: undefined });
  }

  edits(edits: AttributeEdits): number {
    return this.#intern({ refusal: undefined, edits });
  }

  /**
   * The treatment of paths whose peer is long gone: as before, and marked LLGR_STALE, unless they are marked NO_LLGR. RFC 9494
   * section 4.2.
   *
   * @param treatment Of the import policy.
   * @param isMarked Whether the set as received has NO_LLGR.
   */
  longLived(treatment: number, isMarked: boolean): number {
    const { refusal, edits = NO_EDITS } = this.get(treatment);
    if (refusal) return treatment;
    const { added, removed, replacesCommunities } = edits;
    const keepsMark = isMarked && !replacesCommunities && !removed.includes(NO_LLGR);
    if (keepsMark || added.includes(NO_LLGR)) return this.refusal({ reason: 'no-long-lived' });
    const found = this.#longLived[treatment];
    if (found !== undefined) return found;
    const made = this.edits(composeEdits(edits, LONG_LIVED_EDITS));
    this.#longLived[treatment] = made;
    return made;
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
