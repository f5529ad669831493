import { z } from 'zod';
import { PROTOCOL_NUMBERS, type Protocol, type ProtocolName } from './protocol.ts';

const ALLOWED = `must be ${Object.keys(PROTOCOL_NUMBERS).join(', ')}, or a number from 1 to 255`;

/** A protocol: a name, a number, or a number in quotes, which is read as the number. */
export const protocol: z.ZodType<Protocol> = z
  .union([z.string(), z.number()], { error: ALLOWED })
  .transform((value, context): Protocol => {
    if (typeof value === 'string' && Object.hasOwn(PROTOCOL_NUMBERS, value)) {
      return value as ProtocolName;
    }
    const number = /^\d{1,3}$/.test(String(value)) ? Number(value) : 0;
    if (number >= 1 && number <= 255) return number;
    context.addIssue({ code: 'custom', message: ALLOWED, input: value });
    return z.NEVER;
  })
  .meta({ rule: 'a protocol by name, or a number from 1 to 255' });
