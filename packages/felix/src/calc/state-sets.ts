import {
  type Family,
  familyOf,
  type IpAddress,
  type Prefix,
  prefixLength,
  prefixOf,
} from '@overland/net';
import type { SetId } from './policy/active-rule.ts';
import type { SetQuestions } from './policy/match-rule.ts';
import type { PolicyState } from './policy-state.ts';

/** Answers what rules ask about sets, from what the packet filter holds. For one look: it does not see later changes. */
export class StateSets implements SetQuestions {
  readonly #sets: PolicyState['sets'];
  /** Of sets of prefixes: which lengths there are. */
  readonly #lengths = new Map<SetId, Record<Family, ReadonlySet<number>>>();

  constructor({ sets }: PolicyState) {
    this.#sets = sets;
  }

  holds(id: SetId, address: IpAddress): boolean {
    const set = this.#sets.get(id);
    if (!set) return false;
    if (set.members.has(address)) return true;
    if (set.kind !== 'nets') return false;
    const lengths = this.#lengthsOf(id, set.members)[familyOf(address)];
    return [...lengths].some((length) => set.members.has(prefixOf(address, length)));
  }

  holdsPort(id: SetId, address: IpAddress, protocol: number, port: number): boolean {
    return this.#sets.get(id)?.members.has(`${address} . ${protocol} . ${port}`) ?? false;
  }

  text(id: SetId): string {
    return id;
  }

  #lengthsOf(id: SetId, members: ReadonlySet<string>): Record<Family, ReadonlySet<number>> {
    const known = this.#lengths.get(id);
    if (known) return known;
    const lengths = { ipv4: new Set<number>(), ipv6: new Set<number>() };
    for (const member of members) {
      if (!member.includes('/')) continue;
      lengths[member.includes(':') ? 'ipv6' : 'ipv4'].add(prefixLength(member as Prefix));
    }
    this.#lengths.set(id, lengths);
    return lengths;
  }
}
