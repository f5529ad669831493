/** Least Desired Min TX Interval of a session that is not Up, microseconds. RFC 5880 section 6.8.3. */
export const SLOW_INTERVAL_US = 1_000_000;

/**
 * One interval between packets: 75 to 100 %, or with a multiplier of 1 75 to 90 %, of what was agreed, so that
 * systems do not send in step and the one packet that counts is never late. RFC 5880 section 6.8.7.
 *
 * @param random In [0, 1).
 */
export function jitteredUs(intervalUs: number, detectMultiplier: number, random: number): number {
  const most = detectMultiplier === 1 ? 0.9 : 1;
  return Math.floor(intervalUs * (0.75 + (most - 0.75) * random));
}

/** What both ends agree on; `undefined`: the receiver wants no packets. RFC 5880 section 6.8.7. */
export function transmitIntervalUs(
  desiredMinTxUs: number,
  remoteMinRxUs: number,
): number | undefined {
  return remoteMinRxUs === 0 ? undefined : Math.max(desiredMinTxUs, remoteMinRxUs);
}
