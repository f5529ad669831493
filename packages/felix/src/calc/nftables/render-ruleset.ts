import type { HostLinks } from '../host-links.ts';
import type { PolicyState, SetState } from '../policy-state.ts';
import { DisjointNets } from './disjoint-nets.ts';
import { listChain, setName, TABLE } from './names.ts';
import { block, type NftChainObject, type NftSetObject, objectsText } from './nft-objects.ts';
import {
  BASE_CHAINS,
  BASE_SETS,
  endpointChains,
  endpointElements,
  HOST_PARTS,
  hostPart,
  listRules,
  setParts,
} from './table-parts.ts';

/**
 * The table that enforces a state, as a file for `nft -f`: sets, then chains that use them, then the maps that lead to
 * those. Of interfaces of workloads that it does not know nothing passes.
 *
 * @param links By which host endpoints without an interface are found.
 */
export function renderRuleset(state: PolicyState, links?: HostLinks): string {
  const { sets, lists, endpoints, host } = state;
  const maySpoof = host?.maySpoof ?? false;
  const setNames = (id: string, version: 4 | 6): string =>
    setName(id, sets.get(id)?.kind ?? 'addresses', version);
  const ordered = [...sets].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const parts = [
    ...objectsText({
      sets: new Map(ordered.flatMap(([id, set]) => setParts(id, set.kind, elementsOf(set)))),
      chains: new Map<string, NftChainObject>([
        ...[...lists].map(
          ([id, list]) => [listChain(id), { rules: listRules(list, setNames) }] as const,
        ),
        ...[...endpoints].flatMap(([name, filter]) => endpointChains(name, filter, maySpoof)),
      ]),
    }),
    ...objectsText({ sets: baseSets(endpoints, maySpoof), chains: new Map(BASE_CHAINS) }),
    ...HOST_PARTS.flatMap((part) => objectsText(hostPart(part, state, links))),
  ];
  // Made new in one transaction, also where it is not there yet.
  return [`table ${TABLE}`, `delete table ${TABLE}`, ...block(`table ${TABLE}`, parts), ''].join(
    '\n',
  );
}

/** The sets that are always there, with what stands for the endpoints. */
function baseSets(
  endpoints: PolicyState['endpoints'],
  maySpoof: boolean,
): Map<string, NftSetObject> {
  const elements = Map.groupBy(
    [...endpoints].flatMap(([name, filter]) => endpointElements(name, filter, maySpoof)),
    ([set]) => set,
  );
  return new Map(
    BASE_SETS.map(([name, set]) => {
      const own = elements.get(name) ?? [];
      return [name, { ...set, elements: own.map(([, element]) => element) }];
    }),
  );
}

function elementsOf({ kind, members }: SetState): string[] {
  return kind === 'nets' ? new DisjointNets(members).elements() : [...members];
}
