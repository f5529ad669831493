import type { NftElement } from '@overland/linux';
import type { HostLinks } from '../../calc/host-links.ts';
import { DisjointNets, type ElementChange } from '../../calc/nftables/disjoint-nets.ts';
import { listChain, setName, TABLE, type Version } from '../../calc/nftables/names.ts';
import {
  BASE_CHAINS,
  BASE_SETS,
  CLOSED,
  closedPart,
  endpointChainNames,
  endpointChains,
  endpointElements,
  HOST_PARTS,
  type HostPart,
  hostPart,
  isOfVersion,
  listRules,
  setParts,
} from '../../calc/nftables/table-parts.ts';
import type { SetId } from '../../calc/policy/active-rule.ts';
import {
  applyChange,
  emptyPolicyState,
  type MutablePolicyState,
  type PolicyChange,
} from '../../calc/policy-change.ts';
import {
  type EndpointFilter,
  type ListId,
  type PolicyState,
  type SetState,
  setsOf,
} from '../../calc/policy-state.ts';
import { KernelTable } from './kernel-table.ts';

/** One thing of a state that can fail by itself. */
export type PolicyItem =
  | { readonly type: 'set'; readonly id: SetId }
  | { readonly type: 'list'; readonly id: ListId }
  | { readonly type: 'endpoint'; readonly id: string }
  | { readonly type: 'part'; readonly id: HostPart };

/** Keeps our table as a state says: each thing of the state becomes chains, sets and elements. */
export class PolicyTable {
  readonly table = new KernelTable(TABLE);
  readonly #state: MutablePolicyState = emptyPolicyState();
  /** What the kernel does not take: it lets nothing through, and is not there where it cannot be closed. */
  readonly #broken = new Set<string>();
  /** Of sets with prefixes: which of them are in the kernel, because no other one contains them. */
  readonly #nets = new Map<SetId, DisjointNets>();
  /** What stands for each endpoint in the sets that are always there. */
  readonly #elements = new Map<string, readonly (readonly [set: string, element: NftElement])[]>();
  /** Names of the chains and sets of each part of the host. */
  readonly #parts = new Map<HostPart, ReadonlySet<string>>();
  #links: HostLinks = new Map();

  constructor() {
    for (const [name, set] of BASE_SETS) this.table.setSet(name, set);
    for (const [name, chain] of BASE_CHAINS) this.table.setChain(name, chain);
  }

  get state(): PolicyState {
    return this.#state;
  }

  /** @returns What it was about. */
  accept(change: PolicyChange): PolicyItem[] {
    const before = new Map(
      Array.from(change.sets.keys(), (id) => [id, this.#state.sets.get(id)?.kind]),
    );
    const { host, endpoints } = this.#state;
    const translated = Array.from(change.endpoints.keys(), (id) => endpoints.get(id));
    applyChange(this.#state, change);
    translated.push(...Array.from(change.endpoints.keys(), (id) => endpoints.get(id)));
    const items: PolicyItem[] = [
      ...Array.from(change.sets.keys(), (id) => ({ type: 'set', id }) as const),
      ...Array.from(change.lists.keys(), (id) => ({ type: 'list', id }) as const),
      ...Array.from(change.endpoints.keys(), (id) => ({ type: 'endpoint', id }) as const),
    ];
    const mended = items.filter((item) => this.#broken.delete(keyOf(item)));
    for (const id of change.sets.keys()) this.#changeSet(id, before.get(id), change);
    for (const { type, id } of mended) if (type === 'set') this.#renderListsAskingFor(id);
    for (const id of change.lists.keys()) this.#renderList(id);
    for (const id of change.endpoints.keys()) this.#renderEndpoint(id);
    if (change.host && change.host.maySpoof !== host?.maySpoof) {
      for (const id of endpoints.keys()) this.#renderEndpoint(id);
    }
    const parts: HostPart[] = [
      ...(change.host ? (['host endpoints'] as const) : []),
      ...(change.host || translated.some(isTranslated) ? (['address translation'] as const) : []),
    ];
    for (const id of parts) {
      this.#broken.delete(keyOf({ type: 'part', id }));
      this.#renderPart(id);
    }
    return [...items, ...parts.map((id) => ({ type: 'part', id }) as const)];
  }

  /** @param links Addresses of the host's interfaces: endpoints without the name of one are found by them. */
  setLinks(links: HostLinks): void {
    this.#links = links;
    const isFound = this.#state.host?.endpoints.some(({ interfaceName }) => !interfaceName);
    if (isFound) this.#renderPart('host endpoints');
  }

  /** Closes what the kernel does not take, with all that asks about it; or has it tried as it should be. */
  setBroken(item: PolicyItem, isBroken: boolean): void {
    if (isBroken) this.#broken.add(keyOf(item));
    else this.#broken.delete(keyOf(item));
    if (item.type === 'list') this.#renderList(item.id);
    else if (item.type === 'endpoint') this.#renderEndpoint(item.id);
    else if (item.type === 'part') this.#renderPart(item.id);
    else {
      this.#renderSet(item.id);
      this.#renderListsAskingFor(item.id);
    }
  }

  /** Names in the table without which nothing else is of use. */
  baseNames(): ReadonlySet<string> {
    return new Set([...BASE_CHAINS, ...BASE_SETS].map(([name]) => name));
  }

  /** Names in the table that stand for an item. */
  namesOf({ type, id }: PolicyItem): ReadonlySet<string> {
    if (type === 'list') return new Set([listChain(id)]);
    if (type === 'set') return new Set(this.#setNames(id));
    if (type === 'part') return this.#parts.get(id) ?? new Set();
    // Elements of the maps go by the interface's name.
    return new Set([id, ...endpointChainNames(id)]);
  }

  /** Everything that there is, what is referred to before what refers to it. */
  items(): PolicyItem[] {
    const { sets, lists, endpoints } = this.#state;
    return [
      ...Array.from(sets.keys(), (id) => ({ type: 'set', id }) as const),
      ...Array.from(lists.keys(), (id) => ({ type: 'list', id }) as const),
      ...Array.from(endpoints.keys(), (id) => ({ type: 'endpoint', id }) as const),
      ...HOST_PARTS.map((id) => ({ type: 'part', id }) as const),
    ];
  }

  #changeSet(id: SetId, before: SetState['kind'] | undefined, { sets }: PolicyChange): void {
    const after = this.#state.sets.get(id);
    const change = sets.get(id);
    if (before !== undefined && before !== after?.kind) {
      for (const name of namesOfSet(id, before)) this.table.setSet(name, undefined);
    }
    if (before !== after?.kind) this.#nets.delete(id);
    if (!after) return;
    const isThere = namesOfSet(id, after.kind).every((name) => this.table.sets.has(name));
    if (isThere && change && 'add' in change) this.#changeElements(id, after.kind, change);
    else this.#renderSet(id);
    if (before !== undefined && before !== after.kind) this.#renderListsAskingFor(id);
  }

  /** Costs what the change does, however large the set is. */
  #changeElements(id: SetId, kind: SetState['kind'], members: ElementChange): void {
    const { add, remove } = this.#nets.get(id)?.change(members) ?? members;
    for (const version of [4, 6] as const) {
      const isOwn = (element: string) => isOfVersion(element, version);
      this.table.changeElements(setName(id, kind, version), {
        add: add.filter(isOwn).map((element) => [element, undefined]),
        remove: remove.filter(isOwn),
      });
    }
  }

  #renderPart(id: HostPart): void {
    const isBroken = this.#broken.has(keyOf({ type: 'part', id }));
    const render = isBroken ? closedPart : hostPart;
    const { sets, chains } = render(id, this.#state, this.#links);
    // Maps lead to chains by the names of links.
    const keys = [...sets.values()].flatMap(({ elements }) => elements.map(({ key }) => key));
    const names = new Set([...sets.keys(), ...chains.keys(), ...keys]);
    for (const name of this.#parts.get(id) ?? []) {
      if (!sets.has(name)) this.table.setSet(name, undefined);
      if (!chains.has(name)) this.table.setChain(name, undefined);
    }
    for (const [name, set] of sets) this.table.setSet(name, set);
    for (const [name, chain] of chains) this.table.setChain(name, chain);
    this.#parts.set(id, names);
  }

  #renderSet(id: SetId): void {
    const set = this.#state.sets.get(id);
    if (!set) return;
    const { kind, members } = set;
    const isBroken = this.#broken.has(keyOf({ type: 'set', id }));
    const nets = kind === 'nets' ? new DisjointNets(members) : undefined;
    if (nets) this.#nets.set(id, nets);
    for (const [name, part] of setParts(id, kind, nets?.elements() ?? [...members])) {
      this.table.setSet(name, isBroken ? undefined : part);
    }
  }

  #setNames(id: SetId): string[] {
    const kind = this.#state.sets.get(id)?.kind;
    return kind === undefined ? [] : namesOfSet(id, kind);
  }

  #renderListsAskingFor(id: SetId): void {
    for (const [listId, list] of this.#state.lists) {
      if (setsOf(list).includes(id)) this.#renderList(listId);
    }
  }

  #renderList(id: ListId): void {
    const list = this.#state.lists.get(id);
    const isClosed =
      this.#broken.has(keyOf({ type: 'list', id })) ||
      (list && setsOf(list).some((set) => this.#broken.has(keyOf({ type: 'set', id: set }))));
    const rules = isClosed ? CLOSED : list && listRules(list, this.#nameOfSet);
    this.table.setChain(listChain(id), list && rules && { rules });
  }

  readonly #nameOfSet = (id: SetId, version: Version): string =>
    setName(id, this.#state.sets.get(id)?.kind ?? 'addresses', version);

  #renderEndpoint(id: string): void {
    const filter = this.#state.endpoints.get(id);
    const isThere = filter !== undefined && !this.#broken.has(keyOf({ type: 'endpoint', id }));
    const maySpoof = this.#state.host?.maySpoof ?? false;
    this.#putElements(id, isThere ? endpointElements(id, filter, maySpoof) : []);
    const chains = new Map(isThere ? endpointChains(id, filter, maySpoof) : []);
    for (const name of endpointChainNames(id)) this.table.setChain(name, chains.get(name));
  }

  #putElements(
    id: string,
    elements: readonly (readonly [set: string, element: NftElement])[],
  ): void {
    const before = Map.groupBy(this.#elements.get(id) ?? [], ([set]) => set);
    const after = Map.groupBy(elements, ([set]) => set);
    for (const set of new Set([...before.keys(), ...after.keys()])) {
      const add = (after.get(set) ?? []).map(([, { key, verdict }]) => [key, verdict] as const);
      const kept = new Set(add.map(([key]) => key));
      const remove = (before.get(set) ?? []).map(([, { key }]) => key);
      this.table.changeElements(set, { add, remove: remove.filter((key) => !kept.has(key)) });
    }
    if (elements.length > 0) this.#elements.set(id, elements);
    else this.#elements.delete(id);
  }
}

/** Whether other addresses or ports lead to an endpoint. */
function isTranslated(filter: EndpointFilter | undefined): boolean {
  const { floating = [], hostPorts = [] } = filter?.guard ?? {};
  return floating.length + hostPorts.length > 0;
}

function namesOfSet(id: SetId, kind: SetState['kind']): string[] {
  return ([4, 6] as const).map((version) => setName(id, kind, version));
}

/** Distinguishes items of all types. */
export function keyOf({ type, id }: PolicyItem): string {
  return `${type} ${id}`;
}
