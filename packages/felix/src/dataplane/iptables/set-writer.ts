import { type FoundIpSet, type IpSets, KernelError } from '@overland/linux';
import { ParseError } from '@overland/net';
import type { Logger } from 'pino';
import { addressSetOf, memberOf } from '../../calc/iptables/address-set.ts';
import { isOwnSet, setName, type Version } from '../../calc/iptables/names.ts';
import type { SetId } from '../../calc/policy/active-rule.ts';
import type { PolicyChange } from '../../calc/policy-change.ts';
import type { PolicyState, SetState } from '../../calc/policy-state.ts';

const VERSIONS = [4, 6] as const satisfies readonly Version[];
/** Members that one look at the kernel reads again: the sets take turns. */
const MEMBERS_PER_CHECK = 50_000;

/** What a set of the kernel lacks and has too much; a member is in one of them at most. */
interface Difference {
  readonly add: Set<string>;
  readonly remove: Set<string>;
}

/** The sets that rules ask, of both IP versions: what the kernel holds, and how it comes to hold what is wanted. */
export class SetWriter {
  readonly #sets: IpSets;
  readonly #log: Logger;
  /** By name; absent: its members are to be read. */
  readonly #differences = new Map<string, Difference>();
  /** Sets of the kernel by name; `undefined`: to be read. */
  #found: Map<string, Pick<FoundIpSet, 'type' | 'family'>> | undefined;

  constructor(sets: IpSets, log: Logger) {
    this.#sets = sets;
    this.#log = log;
  }

  get isInDoubt(): boolean {
    return this.#found === undefined;
  }

  /** Reads again what sets there are, and the members of some. @param state What is wanted. */
  doubt(state: PolicyState): void {
    this.#found = undefined;
    const sizes = new Map(
      [...state.sets].flatMap(([id, { members }]) =>
        VERSIONS.map((version): [string, number] => [setName(id, version), members.size]),
      ),
    );
    let budget = MEMBERS_PER_CHECK;
    // In the order in which they were read last, the oldest first.
    for (const name of [...this.#differences.keys()]) {
      if (budget < 0) return;
      this.#differences.delete(name);
      budget -= sizes.get(name) ?? 0;
    }
  }

  /** Forgets all that it knows of the kernel. */
  doubtAll(): void {
    this.#found = undefined;
    this.#differences.clear();
  }

  /** Takes note of a change, before it is applied. */
  accept({ sets }: PolicyChange): void {
    for (const [id, change] of sets) {
      for (const version of VERSIONS) {
        const name = setName(id, version);
        const difference = this.#differences.get(name);
        if (!difference) continue;
        if (
          change === undefined ||
          'members' in change ||
          change.add.concat(change.remove).some(isWide)
        ) {
          this.#differences.delete(name);
          continue;
        }
        const own = (members: readonly string[]) =>
          members.flatMap((one) => memberOf(one, version));
        for (const member of own(change.remove)) note(member, difference.add, difference.remove);
        for (const member of own(change.add)) note(member, difference.remove, difference.add);
      }
    }
  }

  /**
   * Makes sets and members.
   *
   * @param mayRemove Without it, members that are not wanted stay.
   * @returns Whether something was written, and sets that are not as they should, with the reason.
   * @throws {KernelError} If the kernel cannot be read.
   */
  async write(state: PolicyState, mayRemove: boolean) {
    this.#found ??= new Map((await this.#sets.list()).map((set) => [set.name, set]));
    const refused = new Map<SetId, string>();
    let changes = 0;
    for (const id of state.sets.keys()) {
      for (const version of VERSIONS) {
        try {
          changes += await this.#writeOne(id, version, state, mayRemove);
        } catch (error) {
          if (!(error instanceof KernelError || error instanceof ParseError)) throw error;
          this.#differences.delete(setName(id, version));
          refused.set(id, error.message);
        }
      }
    }
    return { changes, refused };
  }

  /** Removes sets of ours that are not wanted. One that a rule still asks stays, for the next time. */
  async removeUnwanted(state: PolicyState): Promise<boolean> {
    const wanted = new Set(
      [...state.sets.keys()].flatMap((id) => VERSIONS.map((version) => setName(id, version))),
    );
    let hasRemoved = false;
    for (const name of [...(this.#found?.keys() ?? [])]) {
      if (!isOwnSet(name) || wanted.has(name)) continue;
      try {
        await this.#sets.destroy(name);
        this.#found?.delete(name);
        this.#differences.delete(name);
        hasRemoved = true;
      } catch (error) {
        if (!(error instanceof KernelError)) throw error;
        this.#log.warn({ err: error, set: name }, 'a set that is not needed cannot be removed');
      }
    }
    return hasRemoved;
  }

  /** @returns How many changes were made. */
  async #writeOne(id: SetId, version: Version, state: PolicyState, mayRemove: boolean) {
    const set = state.sets.get(id);
    if (!set) return 0;
    const name = setName(id, version);
    const isNew = !this.#found?.has(name);
    const known = isNew ? undefined : this.#differences.get(name);
    const difference = known ?? (await this.#read(name, set, version, isNew));
    const { add, remove } = difference;
    const removal = mayRemove ? [...remove] : [];
    if (add.size + removal.length > 0) {
      await this.#sets.change(name, { add: [...add], remove: removal });
      this.#differences.set(name, { add: new Set(), remove: mayRemove ? new Set() : remove });
    }
    return add.size + removal.length + (isNew ? 1 : 0);
  }

  /** Makes the set if need be, and compares its members. */
  async #read(name: string, set: SetState, version: Version, isNew: boolean): Promise<Difference> {
    const { type, members } = addressSetOf(set, version);
    const family = version === 4 ? 'ipv4' : 'ipv6';
    const found = this.#found?.get(name);
    if (found?.type !== type || found.family !== family) {
      // Refused if there is one of another kind.
      await this.#sets.create({ name, type, family });
      this.#found?.set(name, { type, family });
    }
    const actual = isNew ? new Set<string>() : await this.#sets.members(name);
    const difference = {
      add: new Set([...members].filter((member) => !actual.has(member))),
      remove: new Set([...actual].filter((member) => !members.has(member))),
    };
    this.#differences.set(name, difference);
    return difference;
  }
}

/** A member that stands for two in the kernel, or may be one of the two. */
function isWide(member: string): boolean {
  return /\/[01]$/.test(member);
}

/** Takes a member from one side if it is there, else adds it to the other. */
function note(member: string, from: Set<string>, to: Set<string>): void {
  if (!from.delete(member)) to.add(member);
}
