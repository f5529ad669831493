import type { HostLinks } from '../host-links.ts';
import type { PolicyState } from '../policy-state.ts';
import { listChain, setName, TABLE } from './names.ts';
import { block, type NftChainObject, type NftSetObject, objectsText } from './nft-objects.ts';
import {
  BASE_CHAINS,
  BASE_MAPS,
  commonParts,
  endpointChains,
  endpointVerdicts,
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
  const { sets, lists, endpoints } = state;
  const setNames = (id: string, version: 4 | 6): string =>
    setName(id, sets.get(id)?.kind ?? 'addresses', version);
  const ordered = [...sets].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const parts = [
    ...objectsText({
      sets: new Map(ordered.flatMap(([id, set]) => setParts(id, set))),
      chains: new Map<string, NftChainObject>([
        ...[...lists].map(
          ([id, list]) => [listChain(id), { rules: listRules(list, setNames) }] as const,
        ),
        ...[...endpoints].flatMap(([name, filter]) => endpointChains(name, filter)),
      ]),
    }),
    ...objectsText({ sets: mapsOf(endpoints.keys()), chains: new Map(BASE_CHAINS) }),
    ...objectsText(commonParts(state, links)),
  ];
  // Made new in one transaction, also where it is not there yet.
  return [`table ${TABLE}`, `delete table ${TABLE}`, ...block(`table ${TABLE}`, parts), ''].join(
    '\n',
  );
}

/** The maps that lead to the chains of these interfaces. */
function mapsOf(interfaces: Iterable<string>): Map<string, NftSetObject> {
  const verdicts = [...interfaces].flatMap((key) =>
    endpointVerdicts(key).map(([map, verdict]) => ({ map, element: { key, verdict } })),
  );
  return new Map(
    BASE_MAPS.map(([name, map]) => {
      const own = verdicts.filter(({ map: of }) => of === name);
      return [name, { ...map, elements: own.map(({ element }) => element) }];
    }),
  );
}
