import type { AllocationAttribute, AllocationBlock } from '@overland/model';
import { handleOf } from './block.ts';

/** Who an address is for. */
export interface Holder {
  readonly handle: string;
  readonly attributes: Readonly<Record<string, string>>;
}

type Attributes = AllocationBlock['attributes'];

/** Attributes with one more, or as they were, and where to find it. */
export interface IndexedAttributes {
  readonly attributes: Attributes;
  readonly index: number;
}

/** Finds the holder among the attributes, or adds it: addresses of one holder share one attribute. */
export function withHolder(attributes: Attributes, holder: Holder): IndexedAttributes {
  const found = attributes.findIndex(
    (attribute) =>
      handleOf(attribute) === holder.handle &&
      attribute.releasedAt === undefined &&
      sameText(attribute.secondary ?? {}, holder.attributes),
  );
  if (found >= 0) return { attributes, index: found };
  return added(attributes, { handleId: holder.handle, secondary: holder.attributes });
}

/** Adds the mark of addresses that were released at a time and cool down. */
export function withReleaseTime(attributes: Attributes, releasedAt: string): IndexedAttributes {
  return added(attributes, { releasedAt });
}

function added(attributes: Attributes, attribute: Partial<AllocationAttribute>): IndexedAttributes {
  const whole = {
    handleId: undefined,
    secondary: undefined,
    alternateOwnerAttributes: undefined,
    releasedAt: undefined,
    unknown: {},
    ...attribute,
  };
  return { attributes: [...attributes, whole], index: attributes.length };
}

/** Drops attributes that no address has, and renumbers the rest. */
export function withoutUnused(
  allocations: AllocationBlock['allocations'],
  attributes: Attributes,
): Pick<AllocationBlock, 'allocations' | 'attributes'> {
  const used = new Set(allocations);
  const kept = [...attributes.keys()].filter((index) => used.has(index));
  if (kept.length === attributes.length) return { allocations, attributes };
  const renumbered = new Map(kept.map((index, position) => [index, position]));
  return {
    attributes: attributes.filter((_, index) => renumbered.has(index)),
    allocations: allocations.map((index) =>
      index === null ? null : (renumbered.get(index) ?? null),
    ),
  };
}

function sameText(
  a: Readonly<Record<string, string>>,
  b: Readonly<Record<string, string>>,
): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
}
