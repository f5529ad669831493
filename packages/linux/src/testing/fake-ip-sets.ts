import { memberText, parseMember } from '../ip-set-member.ts';
import type { FoundIpSet, IpSets } from '../ip-sets.ts';
import { KernelError } from '../ports.ts';

interface FakeSet extends FoundIpSet {
  readonly members: Set<string>;
}

/** {@link IpSets} in memory. `sets` may be changed by the test, as somebody else's hand. */
export interface FakeIpSets extends IpSets {
  readonly sets: Map<string, FakeSet>;
  /** Changes that the kernel was asked for. */
  readonly writes: number;
}

/** @param isAsked Whether a rule asks a set: then it cannot be destroyed. */
export function fakeIpSets(isAsked: (name: string) => boolean = () => false): FakeIpSets {
  const sets = new Map<string, FakeSet>();
  let writes = 0;
  const find = (name: string): FakeSet => {
    const found = sets.get(name);
    if (!found) throw new KernelError('ENOENT', `find set ${name}`);
    return found;
  };
  return {
    sets,
    get writes() {
      return writes;
    },
    async list() {
      return Array.from(sets.values(), ({ name, type, family }) => ({
        name,
        type,
        family,
      })).toSorted((a, b) => (a.name < b.name ? -1 : 1));
    },
    members: async (name) => new Set(find(name).members),
    async create(set) {
      writes += 1;
      const found = sets.get(set.name);
      if (found && (found.type !== set.type || found.family !== set.family)) {
        throw new KernelError('EEXIST', `create set ${set.name}`);
      }
      if (!found) sets.set(set.name, { ...set, members: new Set() });
    },
    async destroy(name) {
      writes += 1;
      if (isAsked(name)) throw new KernelError('EBUSY', `destroy set ${name}`);
      sets.delete(name);
    },
    async change(name, { add, remove }) {
      const { members } = find(name);
      writes += add.length + remove.length;
      for (const member of remove) members.delete(canonical(member));
      for (const member of add) members.add(canonical(member));
    },
  };
}

function canonical(member: string): string {
  return memberText(parseMember(member));
}
