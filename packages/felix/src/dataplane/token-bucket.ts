import type { TokenBucket } from '@overland/linux';
import type { BandwidthLimit } from '../calc/bandwidth.ts';

/** Ethernet's header and a VLAN tag: the kernel counts whole frames. */
const FRAME_HEADER_OCTETS = 18;
/** What waits for tokens: as of CNI's plugin `bandwidth`. */
const QUEUE_SECONDS = 0.025;
/** Two of the largest packets that the kernel carries in one piece. */
const MIN_QUEUE_OCTETS = 131_072;
/** A workload must not fill the host's memory. */
const MAX_QUEUE_OCTETS = 64 << 20;
/** The kernel lists a bucket in 32 bits of 64 ns: 274 s. What cannot be read back cannot be kept as it should be. */
const LONGEST_BURST_SECONDS = 270;
const TICK_SECONDS = 64e-9;

/**
 * The token bucket that keeps a limit.
 *
 * The queue does not grow with the burst, unlike that of CNI's plugin and of Calico: with their usual burst, 512 MiB would wait.
 *
 * @param mtu Of the interface. A bucket smaller than one frame would let none pass, so it is never that small.
 */
export function tokenBucketOf({ rate, burst, peak }: BandwidthLimit, mtu: number): TokenBucket {
  const frame = mtu + FRAME_HEADER_OCTETS;
  const queue = Math.ceil(rate * QUEUE_SECONDS);
  return {
    rate,
    burst: bucketSize(burst, rate, frame),
    limit: Math.min(Math.max(queue, MIN_QUEUE_OCTETS), MAX_QUEUE_OCTETS),
    ...(peak && { peak: { rate: peak.rate, burst: bucketSize(peak.burst, peak.rate, frame) } }),
  };
}

function bucketSize(burst: number, rate: number, frame: number): number {
  return Math.max(Math.min(burst, rate * LONGEST_BURST_SECONDS), frame);
}

/** Whether the kernel has this bucket: it tells sizes in ticks, rounded. */
export function isSameBucket(desired: TokenBucket, actual: TokenBucket | undefined): boolean {
  if (!actual || desired.rate !== actual.rate || desired.limit !== actual.limit) return false;
  const [peak, actualPeak] = [desired.peak, actual.peak];
  return (
    isSameSize(desired.burst, actual.burst, desired.rate) &&
    peak?.rate === actualPeak?.rate &&
    (!peak || !actualPeak || isSameSize(peak.burst, actualPeak.burst, peak.rate))
  );
}

function isSameSize(desired: number, actual: number, rate: number): boolean {
  const tolerance = 2 + 2 * TICK_SECONDS * rate + desired * 1e-6;
  return Math.abs(desired - actual) <= tolerance;
}
