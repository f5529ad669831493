import type { TokenBucket } from '../ports.ts';
import type { Attributes } from './message-reader.ts';
import { LITTLE_ENDIAN, type MessageWriter } from './message-writer.ts';

const TCA_TBF = { parms: 1, rate64: 4, prate64: 5, burst: 6, pburst: 7 } as const;
const LINKLAYER_ETHERNET = 1;
/** The kernel counts in ticks of 64 ns where it lists (PSCHED_SHIFT). */
const TICK_SECONDS = 64e-9;
const U32_MAX = 0xffff_ffff;

/**
 * Options of a tbf (linux/pkt_sched.h, `struct tc_tbf_qopt`, then attributes):
 *
 *   +-----------+----------------+-----------+------------+---------+
 *   | Rate (12) | Peak rate (12) | Limit (4) | Buffer (4) | MTU (4) |
 *   +-----------+----------------+-----------+------------+---------+
 *
 * The bucket itself is in octets in an attribute; as ticks it would be cut to 4.3 s. Rates from 2^32 on have attributes of their own.
 */
export function writeTokenBucket(
  writer: MessageWriter,
  { rate, burst, limit, peak }: TokenBucket,
): void {
  writer.nest(TCA_TBF.parms, () => {
    writeRate(writer, rate);
    writeRate(writer, peak?.rate ?? 0);
    writer.u32(limit);
    writer.u32(0);
    writer.u32(0);
  });
  writer.attributeU32(TCA_TBF.burst, burst);
  if (rate > U32_MAX) writer.attributeU64(TCA_TBF.rate64, rate);
  if (!peak) return;
  writer.attributeU32(TCA_TBF.pburst, peak.burst);
  if (peak.rate > U32_MAX) writer.attributeU64(TCA_TBF.prate64, peak.rate);
}

/**
 * `struct tc_ratespec`:
 *
 *   +---------------+----------------+--------------+----------------+---------+----------+
 *   | Cell log (1)  | Link layer (1) | Overhead (2) | Cell align (2) | MPU (2) | Rate (4) |
 *   +---------------+----------------+--------------+----------------+---------+----------+
 */
function writeRate(writer: MessageWriter, rate: number): void {
  writer.u8(0);
  writer.u8(rate > 0 ? LINKLAYER_ETHERNET : 0);
  writer.zeros(6);
  writer.u32(Math.min(rate, U32_MAX));
}

/** @param options Value of TCA_OPTIONS. @returns `undefined` if it is cut short. */
export function readTokenBucket(options: Attributes): TokenBucket | undefined {
  let [rate, peakRate, limit, buffer, mtu]: (number | undefined)[] = [];
  let [rate64, peakRate64] = [0, 0];
  while (options.next()) {
    const { view } = options.message;
    const at = options.start;
    if (options.type === TCA_TBF.parms && options.length >= 36) {
      const u32 = (offset: number): number => view.getUint32(at + offset, LITTLE_ENDIAN);
      [rate, peakRate, limit, buffer, mtu] = [u32(8), u32(20), u32(24), u32(28), u32(32)];
    } else if (options.type === TCA_TBF.rate64) rate64 = options.u64();
    else if (options.type === TCA_TBF.prate64) peakRate64 = options.u64();
  }
  if (rate === undefined || limit === undefined || buffer === undefined) return undefined;
  const perSecond = rate64 || rate;
  const peakPerSecond = peakRate64 || (peakRate ?? 0);
  return {
    rate: perSecond,
    burst: octetsOf(buffer, perSecond),
    limit,
    ...(peakPerSecond > 0 && {
      peak: { rate: peakPerSecond, burst: octetsOf(mtu ?? 0, peakPerSecond) },
    }),
  };
}

function octetsOf(ticks: number, rate: number): number {
  return Math.round(ticks * TICK_SECONDS * rate);
}
