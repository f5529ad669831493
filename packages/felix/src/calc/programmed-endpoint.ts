import type { IpAddress } from '@overland/net';
import type { SetTexts } from './policy/address-sets.ts';
import type { Direction } from './policy/policy-view.ts';
import { ruleText } from './policy/rule-text.ts';
import type { EndpointPolicyRef, ListId, PolicyState } from './policy-state.ts';

/** A policy or profile as the packet filter is told of it. */
interface ProgrammedList {
  readonly name: string;
  /** Why it is closed; absent: it is there. */
  readonly missing?: string;
  readonly rules: readonly string[];
}

/** What is asked about one direction, in order. */
export interface ProgrammedDirection {
  readonly tiers: readonly {
    readonly name: string;
    readonly defaultAction: 'Deny' | 'Pass';
    readonly policies: readonly ProgrammedList[];
  }[];
  readonly profiles: readonly ProgrammedList[];
}

/** All that the packet filter is told of a workload of the host. */
export interface ProgrammedEndpoint {
  /** `NAMESPACE/NAME`. */
  readonly name: string;
  readonly interfaceName: string;
  readonly addresses: readonly IpAddress[];
  readonly ingress: ProgrammedDirection;
  readonly egress: ProgrammedDirection;
  /** As it would be with the staged policies enforced; absent: the same. */
  readonly staged?: Readonly<Record<Direction, ProgrammedDirection>>;
}

/**
 * @param text Name, or a part of it behind the namespace; interface; or an address.
 * @returns `undefined` if no workload of the host is called so.
 */
export function programmedEndpoint(
  text: string,
  { endpoints, lists }: PolicyState,
  texts: SetTexts,
): ProgrammedEndpoint | undefined {
  const found = [...endpoints].find(
    ([interfaceName, { name, addresses }]) =>
      [name, interfaceName, ...addresses].includes(text) || name.endsWith(`/${text}`),
  );
  if (!found) return undefined;
  const [interfaceName, { name, addresses, ingress, egress, staged }] = found;
  const list = (id: ListId): ProgrammedList => {
    const { name: own = id, rules = [], missing } = lists.get(id) ?? {};
    const shown = { name: own, rules: rules.map((rule) => ruleText(rule, texts)) };
    return missing === undefined ? shown : { ...shown, missing };
  };
  const direction = ({ tiers, profiles }: EndpointPolicyRef): ProgrammedDirection => ({
    tiers: tiers.map(({ lists: ids, ...tier }) => ({ ...tier, policies: ids.map(list) })),
    profiles: profiles.map(list),
  });
  return {
    name,
    interfaceName,
    addresses,
    ingress: direction(ingress),
    egress: direction(egress),
    ...(staged && {
      staged: { ingress: direction(staged.ingress), egress: direction(staged.egress) },
    }),
  };
}
