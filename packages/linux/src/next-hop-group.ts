import type { NextHopObject } from './ports.ts';

type Group = Extract<NextHopObject['content'], { readonly type: 'group' }>;

/** A member of a group and its share of the load. */
export interface NextHopMember {
  readonly id: number;
  /** 1..255, in proportion to those of the others. */
  readonly weight: number;
}

/** A group of these members; weights are there only where one is not 1. */
export function nextHopGroup(entries: readonly NextHopMember[]): Group {
  const members = entries.map(({ id }) => id);
  const isWeighted = entries.some(({ weight }) => weight !== 1);
  return { type: 'group', members, ...(isWeighted && { weights: entries.map((e) => e.weight) }) };
}

/** The members of a group, each with its weight. */
export function nextHopMembers({ members, weights }: Group): NextHopMember[] {
  return members.map((id, i) => ({ id, weight: weights?.[i] ?? 1 }));
}

/** Equal for groups with the same members and weights, in whatever order. */
export function nextHopGroupKey(group: Group): string {
  return nextHopMembers(group)
    .toSorted((a, b) => a.id - b.id)
    .map(({ id, weight }) => (weight === 1 ? `${id}` : `${id},${weight}`))
    .join('/');
}
