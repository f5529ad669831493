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
type LimitVerdict = 'below' | 'near' | 'above';

/** Something to say about a peer's number of prefixes, or to do. */
export interface LimitFinding {
  readonly family: Family;
  readonly verdict: Exclude<LimitVerdict, 'below'>;
  readonly count: number;
  readonly most: number;
  /** The session must end: with this, for so long (`Infinity`: until the limit is another one). */
  readonly end?: { readonly fault: BgpError; readonly downSeconds: number };
}

/** Follows the number of a peer's prefixes, and says once when a limit is near, and once when it is passed. */
export class PrefixLimitWatch {
  readonly #said = new Map<Family, LimitVerdict>();

  /** A new session, or another limit: everything may be said again. */
  reset(): void {
    this.#said.clear();
  }

  /** @param count Accepted prefixes of the family. */
  check(limit: PrefixLimit, family: Family, count: number): LimitFinding | undefined {
    const verdict = judgeCount(limit, family, count);
    if (verdict === (this.#said.get(family) ?? 'below')) return undefined;
    this.#said.set(family, verdict);
    if (verdict === 'below') return undefined;
    const finding = { family, verdict, count, most: limit.most[family] ?? 0 };
    if (verdict === 'near' || limit.action === 'warn') return finding;
    const fault = limitReached(limit, family);
    return { ...finding, end: { fault, downSeconds: downSeconds(limit) } };
  }
}

function judgeCount(limit: PrefixLimit, family: Family, count: number): LimitVerdict {
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
function downSeconds({ action, restartSeconds }: PrefixLimit): number {
  return action === 'restart' ? restartSeconds : Number.POSITIVE_INFINITY;
}
