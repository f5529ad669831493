/** A route that is not to be kept when its peer is long gone. RFC 9494. */
export const NO_LLGR = 0xffff_0007;

/** Well-known communities. IANA "BGP Well-known Communities". */
const WELL_KNOWN: ReadonlyMap<number, string> = new Map([
  [0xffff_0000, 'GRACEFUL_SHUTDOWN'],
  [0xffff_0001, 'ACCEPT_OWN'],
  [0xffff_0006, 'LLGR_STALE'],
  [NO_LLGR, 'NO_LLGR'],
  [0xffff_029a, 'BLACKHOLE'],
  [0xffff_ff01, 'NO_EXPORT'],
  [0xffff_ff02, 'NO_ADVERTISE'],
  [0xffff_ff03, 'NO_EXPORT_SUBCONFED'],
  [0xffff_ff04, 'NOPEER'],
]);

const BY_NAME: ReadonlyMap<string, number> = new Map(
  Array.from(WELL_KNOWN, ([value, name]) => [name, value]),
);

/** A standard community (RFC 1997) as its number, a large one (RFC 8092) as three. */
export type CommunityValue = number | readonly [number, number, number];

/** A standard community for people: its well-known name, or `aa:nn`. */
export function communityText(value: number): string {
  return WELL_KNOWN.get(value) ?? `${value >>> 16}:${value & 0xffff}`;
}

/**
 * Reads `aa:nn` with 16-bit parts, `aa:nn:mm` with 32-bit parts, or a well-known name (`no-export`, `NO_EXPORT`).
 *
 * @returns `undefined` if it is none of these.
 */
export function parseCommunity(text: string): CommunityValue | undefined {
  const named = BY_NAME.get(text.toUpperCase().replaceAll('-', '_'));
  if (named !== undefined) return named;
  if (!/^\d{1,10}(:\d{1,10}){1,2}$/.test(text)) return undefined;
  const [first = 0, second = 0, third] = text.split(':').map(Number);
  const max = third === undefined ? 0xffff : 0xffff_ffff;
  if (Math.max(first, second, third ?? 0) > max) return undefined;
  return third === undefined ? first * 0x1_0000 + second : [first, second, third];
}
