import {
  API_VERSION,
  type Expression,
  type GlobalNetworkSet,
  isJsonObject,
  type Labels,
  matches,
  type NetworkSet,
  networkSetLabels,
  type ResourceName,
} from '@overland/model';

/** A network set, or one that cannot be read: see {@link unusableNetworkSet}. */
export type NetworkSetOrFault = (NetworkSet | GlobalNetworkSet) & {
  /** Why nobody knows what it holds. */
  readonly fault?: string | undefined;
  /** Whether its labels cannot be read either: any selector may select it. */
  readonly hasUnknownLabels?: boolean | undefined;
};

/**
 * What stands in for a stored network set that cannot be read: it may hold any address. Rules that ask for it go by what
 * is closed: see `activateRule`.
 *
 * @param name By which it is stored.
 * @param unusable.stored As it was read from JSON, in the form of a manifest; `undefined`: it is none.
 * @param unusable.fault Why it cannot be read.
 */
export function unusableNetworkSet(
  kind: 'NetworkSet' | 'GlobalNetworkSet',
  { name, namespace }: ResourceName,
  { stored, fault }: { readonly stored: unknown; readonly fault: string },
): NetworkSetOrFault {
  const labels = labelsIn(stored);
  const metadata = { name, namespace, labels: labels ?? {} };
  const hasUnknownLabels = labels === undefined;
  return { apiVersion: API_VERSION, kind, metadata, spec: {}, fault, hasUnknownLabels } as never;
}

/** @returns `undefined` if they cannot be read. */
function labelsIn(stored: unknown): Labels | undefined {
  if (!isJsonObject(stored) || !isJsonObject(stored.metadata)) return undefined;
  const { labels } = stored.metadata;
  if (labels === undefined || labels === null) return {};
  if (!isJsonObject(labels)) return undefined;
  const isText = (value: unknown) => typeof value === 'string';
  return Object.values(labels).every(isText) ? (labels as Labels) : undefined;
}

/** Network sets that cannot be read. */
export class UnusableNetworkSets {
  readonly #sets: ReadonlyMap<string, NetworkSetOrFault>;
  readonly #profileLabels: (profile: string) => Labels | undefined;

  /** @param sets By anything; they may change. */
  constructor(
    sets: ReadonlyMap<string, NetworkSetOrFault>,
    profileLabels: (profile: string) => Labels | undefined,
  ) {
    this.#sets = sets;
    this.#profileLabels = profileLabels;
  }

  /** Whether there is any: mostly there is none, and no selector has to be looked at. */
  get areThere(): boolean {
    return this.#sets.size > 0;
  }

  /** One that a selector may select, the first by name: `GlobalNetworkSet office`. */
  selectedBy(selector: Expression): string | undefined {
    const [first] = [...this.#sets.values()]
      .filter((set) => set.hasUnknownLabels || matches(selector, this.#labelsOf(set)))
      .map(nameOf)
      .toSorted();
    return first;
  }

  #labelsOf(set: NetworkSetOrFault): Labels {
    return networkSetLabels(set, this.#profileLabels);
  }
}

function nameOf({ kind, metadata: { namespace, name } }: NetworkSetOrFault): string {
  return `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;
}
