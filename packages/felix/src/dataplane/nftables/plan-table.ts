import type { NftChange, NftElement, NftSetSpec } from '@overland/linux';
import type { NftChainObject } from '../../calc/nftables/nft-objects.ts';
import { ABSENT, type Held, type StaleParts } from './stale-parts.ts';

/** A set or map as it should be: keys to verdicts; of a set, to `undefined`. */
export interface WantedSet extends NftSetSpec {
  readonly elements: ReadonlyMap<string, string | undefined>;
}

/** What a table should hold. */
export interface WantedTable {
  readonly chains: ReadonlyMap<string, NftChainObject>;
  readonly sets: ReadonlyMap<string, WantedSet>;
}

/**
 * The changes that make the kernel's table as it is wanted, for one transaction: what is referred to comes before what
 * refers to it, and goes after it.
 *
 * @param stale Whatever differs, and nothing that may stay.
 */
export function planTable(table: string, wanted: WantedTable, stale: StaleParts): NftChange[] {
  if (stale.isEmpty) return [];
  const plan = new TablePlan(table, wanted, stale);
  return plan.changes();
}

class TablePlan {
  readonly #table: string;
  readonly #wanted: WantedTable;
  readonly #stale: StaleParts;

  constructor(table: string, wanted: WantedTable, stale: StaleParts) {
    this.#table = table;
    this.#wanted = wanted;
    this.#stale = stale;
  }

  changes(): NftChange[] {
    const table = this.#table;
    const anew: NftChange[] = this.#stale.isTableStale
      ? [
          // Deleting what is not there would fail.
          { type: 'add-table', table },
          { type: 'delete-table', table },
          { type: 'add-table', table },
        ]
      : [];
    return [
      ...anew,
      ...this.#sets(),
      ...this.#elements(false),
      ...this.#chains(),
      ...this.#elements(true),
      ...this.#removals(),
    ];
  }

  #sets(): NftChange[] {
    const table = this.#table;
    return [...this.#stale.sets].flatMap(([set, was]): NftChange[] => {
      const wanted = this.#wanted.sets.get(set);
      if (!wanted) return [];
      if (was) return [{ type: 'flush-set', table, set }];
      const { elements: _, ...spec } = wanted;
      return [{ type: 'add-set', table, set, ...spec }];
    });
  }

  /** @param verdicts Those of maps, which lead to chains; or those of sets. */
  #elements(verdicts: boolean): NftChange[] {
    const { sets, elements } = this.#stale;
    const whole = [...(verdicts ? [] : sets.keys())].flatMap((set) => {
      const wanted = this.#wanted.sets.get(set);
      if (!wanted || wanted.verdicts) return [];
      return this.#elementChanges('add-elements', set, Array.from(wanted.elements, elementOf));
    });
    const single = [...elements].flatMap(([set, changes]) => {
      const wanted = this.#wanted.sets.get(set);
      return wanted && (wanted.verdicts ?? false) === verdicts
        ? this.#singleElements(set, wanted, changes)
        : [];
    });
    return [...whole, ...single];
  }

  /** Removals first: a prefix may give way to one that it holds. */
  #singleElements(set: string, wanted: WantedSet, changes: ReadonlyMap<string, Held>): NftChange[] {
    const remove: NftElement[] = [];
    const add: NftElement[] = [];
    for (const [key, held] of changes) {
      const target = wanted.elements.has(key) ? wanted.elements.get(key) : ABSENT;
      if (target === held) continue;
      if (held !== ABSENT) remove.push({ key });
      if (target !== ABSENT) add.push(elementOf([key, target]));
    }
    return [
      ...this.#elementChanges('remove-elements', set, remove),
      ...this.#elementChanges('add-elements', set, add),
    ];
  }

  #elementChanges(
    type: 'add-elements' | 'remove-elements',
    set: string,
    elements: readonly NftElement[],
  ): NftChange[] {
    return elements.length === 0 ? [] : [{ type, table: this.#table, set, elements }];
  }

  #chains(): NftChange[] {
    const table = this.#table;
    const stale = [...this.#stale.chains].flatMap(([chain, was]) => {
      const wanted = this.#wanted.chains.get(chain);
      return wanted ? [{ chain, was, wanted }] : [];
    });
    return [
      ...stale.map(({ chain, was, wanted: { hook } }): NftChange => {
        return was
          ? { type: 'flush-chain', table, chain }
          : { type: 'add-chain', table, chain, ...(hook ? { hook } : {}) };
      }),
      ...stale.flatMap(({ chain, wanted: { rules } }) =>
        rules.map((rule): NftChange => ({ type: 'add-rule', table, chain, rule })),
      ),
    ];
  }

  #removals(): NftChange[] {
    const table = this.#table;
    const gone = (names: ReadonlyMap<string, boolean>, wanted: ReadonlyMap<string, unknown>) =>
      [...names].filter(([name, was]) => was && !wanted.has(name)).map(([name]) => name);
    const chains = gone(this.#stale.chains, this.#wanted.chains);
    const sets = gone(this.#stale.sets, this.#wanted.sets);
    return [
      // Maps lead to chains, and chains to each other.
      ...sets.map((set): NftChange => ({ type: 'flush-set', table, set })),
      ...chains.map((chain): NftChange => ({ type: 'flush-chain', table, chain })),
      ...chains.map((chain): NftChange => ({ type: 'delete-chain', table, chain })),
      ...sets.map((set): NftChange => ({ type: 'delete-set', table, set })),
    ];
  }
}

function elementOf([key, verdict]: readonly [string, string | undefined]): NftElement {
  return verdict === undefined ? { key } : { key, verdict };
}
