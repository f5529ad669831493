import type { EgressClass } from './egress-class.ts';
import type { UpdateGroup, UpdateGroupMember } from './engine-statistics.ts';
import type { Peer } from './peer.ts';

/** The egress classes in use with their members, in the order of the first of these. */
export function updateGroups(peers: readonly (Peer | undefined)[]): UpdateGroup[] {
  const byClass = new Map<EgressClass, UpdateGroup & { members: UpdateGroupMember[] }>();
  for (const peer of peers) {
    const exportFilters = peer?.live?.policy.exportFilters ?? [];
    for (const { offer, sent, announcing, withdrawing } of peer?.live?.outs.values() ?? []) {
      const { egress } = offer;
      const { family, exportPolicy: _, ...settings } = egress.key;
      const group = byClass.get(egress) ?? { family, settings, exportFilters, members: [] };
      const id = (peer?.slot ?? 0) - 1;
      group.members.push({ peer: id, advertised: sent, announcing, withdrawing });
      byClass.set(egress, group);
    }
  }
  return [...byClass.values()];
}
