import type { Family } from '@overland/net';
import { afiOf, SAFI_UNICAST } from '../wire/address-family.ts';
import { BgpError, CeaseSubcode, ErrorCode } from '../wire/bgp-error.ts';
import { Writer } from '../wire/writer.ts';

/** How many prefixes a peer may have in our Adj-RIB-In. RFC 4271 section 6.7. */
export interface PrefixLimit {
  /** A family that is absent has no limit. */
  readonly most: Readonly<Partial<Record<Family, number>>>;
  /** Share of a limit from which on a warning is due, 1..100. */
  readonly warningPercent: number;
  /** What a prefix above the limit costs. */
  readonly action: 'warn' | 'stop' | 'restart';
  /** How long the session stays down with `restart`, seconds. */
  readonly restartSeconds: number;
}

/** What a count means. */
export type LimitVerdict = 'below' | 'near' | 'above';

/** Judges a number of accepted prefixes. */
export function judgeCount(limit: PrefixLimit, family: Family, count: number): LimitVerdict {
  const most = limit.most[family];
  if (most === undefined) return 'below';
  if (count > most) return 'above';
  return count * 100 >= most * limit.warningPercent ? 'near' : 'below';
}

/**
 * The Cease that ends a session above its limit. RFC 4486 section 4.
 *
 *   +---------+----------+-----------------+
 *   | AFI (2) | SAFI (1) | Upper bound (4) |
 *   +---------+----------+-----------------+
 */
export function limitReached(limit: PrefixLimit, family: Family): BgpError {
  const most = limit.most[family] ?? 0;
  const data = new Writer().u16(afiOf(family)).u8(SAFI_UNICAST).u32(most).finish();
  const fault = { code: ErrorCode.Cease, subcode: CeaseSubcode.MaximumPrefixes, data };
  return new BgpError(fault, `more than ${most} ${family === 'ipv4' ? 'IPv4' : 'IPv6'} prefixes`);
}

/** How long a session stays down that has gone above its limit, seconds; `Infinity`: until the limit is another one. */
export function downSeconds({ action, restartSeconds }: PrefixLimit): number {
  return action === 'restart' ? restartSeconds : Number.POSITIVE_INFINITY;
}
