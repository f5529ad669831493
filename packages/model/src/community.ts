import { z } from 'zod';

/** `aa:nn` with 16-bit parts (RFC 1997), or `aa:nn:mm` with 32-bit parts (RFC 8092). */
export function isCommunity(text: string): boolean {
  const parts = text.split(':');
  const max = parts.length === 2 ? 0xffff : 0xffff_ffff;
  return (
    (parts.length === 2 || parts.length === 3) &&
    parts.every((part) => /^\d{1,10}$/.test(part) && Number(part) <= max)
  );
}

const RULE = 'a community: aa:nn (16-bit parts) or aa:nn:mm (32-bit parts)';

export const community = z
  .string()
  .refine(isCommunity, `must be ${RULE}`)
  .meta({ rule: RULE, pattern: '^\\d{1,10}(:\\d{1,10}){1,2}$' });
