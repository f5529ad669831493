import { type NextHopObject, nextHopGroup, nextHopGroupKey, PROTOCOL } from '@overland/linux';
import { type Family, familyOf, type NextHop, type WeightedNextHop } from '@overland/net';

/** Where our numbers begin: below it others have theirs. */
const FIRST_ID = 86_000;

/**
 * The next-hop objects of the kernel that are ours, found by what they say: a set of next hops has the same
 * object after a restart as before, so no route that uses it is written again.
 */
export class NextHopTable {
  readonly #idByContent = new Map<string, number>();
  readonly #contentById = new Map<number, string>();
  readonly #foreignIds: ReadonlySet<number>;
  #nextId = FIRST_ID;

  /** @param objects Every next-hop object of the namespace, of whatever protocol. */
  constructor(objects: readonly NextHopObject[]) {
    this.#foreignIds = new Set(
      objects.filter(({ protocol }) => protocol !== PROTOCOL.bgp).map(({ id }) => id),
    );
    for (const object of objects) if (object.protocol === PROTOCOL.bgp) this.#put(object);
  }

  /**
   * Finds the object for a set of next hops.
   *
   * @param family Of the routes; gateways may be of the other one (RFC 8950).
   * @returns Its number, and the objects to write first, members before groups; they count as written.
   */
  objectFor(
    family: Family,
    nextHops: readonly WeightedNextHop[],
  ): { readonly id: number; readonly missing: readonly NextHopObject[] } {
    const missing: NextHopObject[] = [];
    const members = nextHops.map(({ weight = 1, ...nextHop }) => {
      const path = { type: 'path', family: gatewayFamily(nextHop) ?? family, nextHop } as const;
      return { id: this.#idOf(path, missing), weight };
    });
    const [only] = members;
    if (only !== undefined && members.length === 1) return { id: only.id, missing };
    const group = nextHopGroup(members.toSorted((a, b) => a.id - b.id));
    return { id: this.#idOf(group, missing), missing };
  }

  /** Forgets objects that the kernel refused or no longer has. */
  forget(ids: Iterable<number>): void {
    for (const id of ids) {
      const content = this.#contentById.get(id);
      this.#contentById.delete(id);
      if (content !== undefined && this.#idByContent.get(content) === id) {
        this.#idByContent.delete(content);
      }
    }
  }

  /** Objects that no route in `used` needs, groups before their members. */
  unused(used: ReadonlySet<number>): number[] {
    const needed = new Set(used);
    for (const id of used) for (const member of this.#membersOf(id)) needed.add(member);
    const ids = [...this.#contentById.keys()].filter((id) => !needed.has(id));
    return ids.toSorted((a, b) => this.#membersOf(b).length - this.#membersOf(a).length);
  }

  #idOf(content: NextHopObject['content'], missing: NextHopObject[]): number {
    const known = this.#idByContent.get(contentKey(content));
    if (known !== undefined) return known;
    const object = { id: this.#freeId(), protocol: PROTOCOL.bgp, content };
    this.#put(object);
    missing.push(object);
    return object.id;
  }

  #freeId(): number {
    while (this.#contentById.has(this.#nextId) || this.#foreignIds.has(this.#nextId)) {
      this.#nextId += 1;
    }
    return this.#nextId;
  }

  #put({ id, content }: NextHopObject): void {
    this.#contentById.set(id, contentKey(content));
    this.#idByContent.set(contentKey(content), id);
  }

  #membersOf(id: number): number[] {
    const [type, members = ''] = this.#contentById.get(id)?.split(' ') ?? [];
    if (type !== 'group') return [];
    return members.split('/').map((member) => Number.parseInt(member, 10));
  }
}

function gatewayFamily({ address }: NextHop): Family | undefined {
  return address === null ? undefined : familyOf(address);
}

function contentKey(content: NextHopObject['content']): string {
  if (content.type === 'group') return `group ${nextHopGroupKey(content)}`;
  const { address, device } = content.nextHop;
  return ['path', content.family, address, device].join(' ');
}
