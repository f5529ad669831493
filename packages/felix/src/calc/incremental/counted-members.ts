import type { SetChange } from '../policy-change.ts';
import type { SetState } from '../policy-state.ts';

/** Members of one set, each for as long as somebody holds it, and how they differ from what was told last. */
export class CountedMembers {
  readonly #members = new Set<string>();
  /** Holders beyond the first; most members have but one. */
  readonly #others = new Map<string, number>();
  readonly #isOfPorts: boolean;
  #prefixes = 0;
  /** What the receiver has; `undefined`: not this set, or one of another kind. */
  #told:
    | { kind: SetState['kind']; readonly added: Set<string>; readonly removed: Set<string> }
    | undefined;

  constructor(isOfPorts: boolean) {
    this.#isOfPorts = isOfPorts;
  }

  get kind(): SetState['kind'] {
    if (this.#isOfPorts) return 'ports';
    return this.#prefixes > 0 ? 'nets' : 'addresses';
  }

  /** As it is now; changes with the set. */
  get state(): SetState {
    return { kind: this.kind, members: this.#members };
  }

  add(member: string): void {
    if (this.#members.has(member)) {
      this.#others.set(member, (this.#others.get(member) ?? 0) + 1);
      return;
    }
    this.#members.add(member);
    if (member.includes('/')) this.#prefixes++;
    if (this.#told && !this.#told.removed.delete(member)) this.#told.added.add(member);
  }

  /** Takes away what one `add` has added. */
  remove(member: string): void {
    const others = this.#others.get(member) ?? 0;
    if (others > 1) this.#others.set(member, others - 1);
    else if (others === 1) this.#others.delete(member);
    else if (this.#members.delete(member)) {
      if (member.includes('/')) this.#prefixes--;
      if (this.#told && !this.#told.added.delete(member)) this.#told.removed.add(member);
    }
  }

  /** How much `tell` would say: members, and one. */
  get telling(): number {
    if (this.#told?.kind !== this.kind) return 1 + this.#members.size;
    return 1 + this.#told.added.size + this.#told.removed.size;
  }

  /** What has changed since the last call; the set as a whole the first time and when its kind is another; `undefined`: nothing. */
  tell(): SetChange | undefined {
    const { kind } = this;
    if (this.#told?.kind !== kind) {
      this.#told = { kind, added: new Set(), removed: new Set() };
      return { kind, members: new Set(this.#members) };
    }
    const { added, removed } = this.#told;
    if (added.size + removed.size === 0) return undefined;
    const change = { kind, add: [...added], remove: [...removed] };
    added.clear();
    removed.clear();
    return change;
  }
}
