import type { Conntrack, TrackedConnection } from '@overland/linux';
import type { IpAddress } from '@overland/net';
import { ConnectionJudge } from '../calc/judge-connection.ts';
import type { SetId } from '../calc/policy/active-rule.ts';
import type { RuleList } from '../calc/policy/policy-view.ts';
import type { PolicyChange } from '../calc/policy-change.ts';
import {
  type EndpointFilter,
  type ListId,
  listsOf,
  type PolicyState,
  setsOf,
} from '../calc/policy-state.ts';

/**
 * Connections that must not go on: of an address that has left or is about to be somebody else's, all of them; of one
 * that a change is about, those that could not begin any more.
 */
export class ConnectionSweep {
  readonly #conntrack: Conntrack;
  readonly #isHost: (address: IpAddress) => boolean;
  /** Of which all connections end. */
  #gone = new Set<IpAddress>();
  /** Whose connections are looked at. */
  #doubtful = new Set<IpAddress>();
  /** Lists of rules whose endpoints are doubtful. Which ones those are is looked up when it is needed: a change comes first. */
  #lists = new Set<ListId>();
  /** Until the first state in sync everything that is there is looked at, and nothing is about to be reused. */
  #isFirst = true;
  #isSynced = false;
  #ended = 0;

  constructor(conntrack: Conntrack, isHost: (address: IpAddress) => boolean) {
    this.#conntrack = conntrack;
    this.#isHost = isHost;
  }

  /** Connections that were ended so far. */
  get ended(): number {
    return this.#ended;
  }

  /** Notes what a change may forbid. @param before What was wanted until now. */
  note(change: PolicyChange, before: PolicyState): void {
    this.#isSynced ||= change.synced;
    for (const [name, after] of change.endpoints) {
      this.#noteEndpoint(before.endpoints.get(name), after);
    }
    for (const id of change.lists.keys()) this.#lists.add(id);
    for (const [id, set] of change.sets) {
      const asking = [...before.lists].filter(([, list]) => setsOf(list).includes(id));
      if (!set || !('add' in set) || set.kind === 'nets') {
        for (const [listId] of asking) this.#lists.add(listId);
        continue;
      }
      const forbids = forbiddingChanges(
        asking.map(([, list]) => list),
        id,
      );
      if (forbids.add) for (const member of set.add) this.#noteMember(member);
      if (forbids.remove) for (const member of set.remove) this.#noteMember(member);
    }
  }

  /**
   * Ends what must not go on, once the packet filter holds the state.
   *
   * @throws {KernelError} It is tried again the next time.
   */
  async run(state: PolicyState): Promise<void> {
    this.#doubtEndpoints(state);
    if (this.#gone.size === 0 && this.#doubtful.size === 0) return;
    const [gone, doubtful] = [this.#gone, this.#doubtful];
    this.#gone = new Set();
    this.#doubtful = new Set();
    this.#isFirst = !this.#isSynced;
    try {
      const judge = doubtful.size > 0 ? new ConnectionJudge(state, this.#isHost) : undefined;
      // One question for both: each walks through all of the kernel's table.
      this.#ended += await this.#conntrack.forget(
        [...gone, ...doubtful],
        (connection) => hasEndIn(connection, gone) || judge?.isForbidden(connection) === true,
      );
    } catch (error) {
      for (const address of gone) this.#gone.add(address);
      this.#doubt([...doubtful]);
      throw error;
    }
  }

  /** An endpoint that has come to other lists since, or has left, has been noted for that. */
  #doubtEndpoints({ endpoints }: PolicyState): void {
    if (this.#lists.size === 0) return;
    for (const filter of endpoints.values()) {
      if (listsOf(filter).some((id) => this.#lists.has(id))) this.#doubt(filter.addresses);
    }
    this.#lists.clear();
  }

  #noteEndpoint(before: EndpointFilter | undefined, after: EndpointFilter | undefined): void {
    const kept = new Set(before?.addresses.filter((one) => after?.addresses.includes(one)));
    for (const address of before?.addresses ?? []) if (!kept.has(address)) this.#gone.add(address);
    for (const address of after?.addresses ?? []) {
      if (kept.has(address) || this.#isFirst) this.#doubtful.add(address);
      // Somebody had it before.
      else this.#gone.add(address);
    }
  }

  /** `10.65.0.1`, or `10.65.0.1 . 6 . 80`. */
  #noteMember(member: string): void {
    this.#doubtful.add(member.split(' ', 1)[0] as IpAddress);
  }

  #doubt(addresses: readonly IpAddress[]): void {
    for (const address of addresses) this.#doubtful.add(address);
  }
}

function hasEndIn(
  { original, reply }: TrackedConnection,
  addresses: ReadonlySet<IpAddress>,
): boolean {
  const ends = [original.source, original.destination, reply.source, reply.destination];
  return ends.some((address) => addresses.has(address));
}

/** Which changes of a set's members may forbid what was allowed. */
function forbiddingChanges(lists: readonly RuleList[], id: SetId) {
  let [add, remove] = [false, false];
  for (const { action, source, destination } of lists.flatMap(({ rules }) => rules)) {
    for (const { sets, notSets, ports, notPorts } of [source, destination]) {
      const isAsked = sets.includes(id) || ports?.sets.includes(id) === true;
      const isExcluded = notSets.includes(id) || notPorts?.sets.includes(id) === true;
      const allows = action !== 'Deny';
      // What passes may be denied by the next, and what does not pass by this one.
      const denies = action !== 'Allow';
      add ||= (isAsked && denies) || (isExcluded && allows);
      remove ||= (isAsked && allows) || (isExcluded && denies);
    }
  }
  return { add, remove };
}
