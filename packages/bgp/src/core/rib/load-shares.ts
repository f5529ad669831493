/**
 * The widest of the links gets this much: finer shares would make many sets of next hops of what is nearly one. The
 * usual proportions divide it.
 */
const FINENESS = 120;

/**
 * Turns bandwidths into the smallest weights in the same proportion, to a 120th of the widest link; nobody
 * gets nothing. In place.
 *
 * @param bandwidths Positive; the first `count` of the array.
 * @returns Whether they differ.
 */
export function toShares(bandwidths: number[], count: number): boolean {
  let widest = 0;
  for (let i = 0; i < count; i += 1) widest = Math.max(widest, bandwidths[i] ?? 0);
  let divisor = 0;
  for (let i = 0; i < count; i += 1) {
    const share = Math.max(1, Math.round(((bandwidths[i] ?? 0) / widest) * FINENESS));
    bandwidths[i] = share;
    divisor = greatestCommonDivisor(share, divisor);
  }
  for (let i = 0; i < count; i += 1) bandwidths[i] = (bandwidths[i] ?? 0) / divisor;
  for (let i = 1; i < count; i += 1) if (bandwidths[i] !== bandwidths[0]) return true;
  return false;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
