import { sameJson } from '@overland/model';
import type { SetId } from '../policy/active-rule.ts';
import type { SetDefinition, SetDemand } from '../policy/address-sets.ts';
import type { RuleList } from '../policy/policy-view.ts';
import { type ListId, listIdOf } from '../policy-state.ts';
import type { ActiveSets } from './active-sets.ts';
import type { Work } from './label-matcher.ts';

/** Selectors are parsed, and named by a hash. */
const UNITS_PER_RULE = 20;

interface ActiveList {
  readonly id: ListId;
  users: number;
  /** `undefined`: not made yet. */
  list: RuleList | undefined;
  /** Sets that its rules ask about, held for as long as it is used. */
  sets: ReadonlySet<SetId>;
}

/** Lists of rules that own endpoints are asked about, each made once, and anew when what it is made of changes. */
export class ActiveLists {
  readonly #lists = new Map<ListId, ActiveList>();
  readonly #make: (id: ListId, sets: SetDemand) => RuleList;
  readonly #sets: ActiveSets;
  readonly #stale = new Set<ActiveList>();
  /** Lists that nobody uses. They stay until that is told: they may be wanted again by then. */
  readonly #unused = new Set<ActiveList>();
  readonly #changed = new Set<ListId>();
  readonly #told = new Map<ListId, RuleList>();

  constructor(make: (id: ListId, sets: SetDemand) => RuleList, sets: ActiveSets) {
    this.#make = make;
    this.#sets = sets;
  }

  /** Counts one more endpoint that is asked about a list. */
  acquire(id: ListId): void {
    let list = this.#lists.get(id);
    if (!list) {
      list = { id, users: 0, list: undefined, sets: new Set() };
      this.#lists.set(id, list);
      this.#stale.add(list);
    }
    list.users++;
    this.#unused.delete(list);
  }

  release(id: ListId): void {
    const list = this.#lists.get(id);
    if (!list) return;
    list.users--;
    if (list.users === 0) this.#unused.add(list);
  }

  /** Takes note that a policy or a profile has changed, or its tier. @param name `NetworkPolicy prod/web`. */
  invalidate(name: string): void {
    for (const direction of ['ingress', 'egress'] as const) {
      const list = this.#lists.get(listIdOf(direction, { name }));
      if (list) this.#stale.add(list);
    }
  }

  /** Takes note that what all lists are made of has changed. */
  invalidateAll(): void {
    for (const list of this.#lists.values()) this.#stale.add(list);
  }

  get hasWork(): boolean {
    return this.#stale.size > 0;
  }

  *work(): Work {
    for (const list of this.#stale) {
      this.#stale.delete(list);
      this.#remake(list);
      yield UNITS_PER_RULE * (1 + (list.list?.rules.length ?? 0));
    }
  }

  dropUnused(): void {
    for (const list of this.#unused) {
      this.#lists.delete(list.id);
      this.#stale.delete(list);
      for (const id of list.sets) this.#sets.release(id);
      this.#changed.add(list.id);
    }
    this.#unused.clear();
  }

  /** Lists as they were told last. */
  get told(): ReadonlyMap<ListId, RuleList> {
    return this.#told;
  }

  /** What has changed since the last call; `undefined`: the list is no more. */
  tell(): Map<ListId, RuleList | undefined> {
    const changes = new Map<ListId, RuleList | undefined>();
    for (const id of this.#changed) {
      const list = this.#lists.get(id)?.list;
      const told = this.#told.get(id);
      if (sameJson(list, told)) continue;
      changes.set(id, list);
      if (list) this.#told.set(id, list);
      else this.#told.delete(id);
    }
    this.#changed.clear();
    return changes;
  }

  #remake(list: ActiveList): void {
    const wanted = new Map<SetId, SetDefinition>();
    const demand = (definition: SetDefinition): SetId => {
      wanted.set(definition.id, definition);
      return definition.id;
    };
    list.list = this.#make(list.id, { demand });
    const held = list.sets;
    for (const definition of wanted.values()) {
      if (!held.has(definition.id)) this.#sets.acquire(definition);
    }
    for (const id of held) if (!wanted.has(id)) this.#sets.release(id);
    list.sets = new Set(wanted.keys());
    this.#changed.add(list.id);
  }
}
