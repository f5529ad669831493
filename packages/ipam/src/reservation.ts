import type { Entry } from '@overland/datastore';
import { describeFault, IpamValueError, resourcePrefix, tryReadResource } from '@overland/model';
import { addressAt, contains, overlaps, type Prefix } from '@overland/net';
import { objectOf } from './pool.ts';

/** Where IPReservations are. */
export const RESERVATION_PREFIX = resourcePrefix('IPReservation');

/**
 * The ranges of a stored IPReservation.
 *
 * @throws {IpamValueError} If it cannot be read.
 */
export function readReservation({ key, value }: Pick<Entry, 'key' | 'value'>): readonly Prefix[] {
  const result = tryReadResource('IPReservation', objectOf(value));
  if ('resource' in result) return result.resource.spec.reservedCIDRs;
  throw new IpamValueError(`${key}: ${result.faults.map(describeFault).join(', ')}`);
}

/** Tells which ordinals of a block are reserved. */
export function reservedIn(
  reserved: readonly Prefix[],
  block: Prefix,
): ((ordinal: number) => boolean) | undefined {
  const touching = reserved.filter((range) => overlaps(range, block));
  if (touching.length === 0) return undefined;
  return (ordinal) => touching.some((range) => contains(range, addressAt(block, ordinal)));
}

/** Whether a block has nothing but reserved addresses. */
export function isWhollyReserved(reserved: readonly Prefix[], block: Prefix): boolean {
  return reserved.some((range) => contains(range, block));
}
