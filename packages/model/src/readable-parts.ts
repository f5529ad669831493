import type { z } from 'zod';
import { isJsonObject } from './json.ts';
import { elementOf, fieldsOf, isComputed } from './schema.ts';

/** Somebody looked at a part of a value that could not be read. */
class UnreadablePart extends Error {
  override readonly name = 'UnreadablePart';
}

/**
 * Reads what can be read of a value with faults. The rest is there, and throws when it is looked at: so a rule that
 * depends on it is found out, and every other rule can still be checked.
 *
 * @throws {UnreadablePart} If nothing can be read.
 */
export function readableParts(schema: z.ZodType, value: unknown): unknown {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const element = elementOf(schema);
  if (element && Array.isArray(value)) {
    return Object.defineProperties(
      Array(value.length),
      Object.fromEntries(value.map((item, i) => [i, partOf(element, item)])),
    );
  }
  const fields = fieldsOf(schema);
  if (fields.length === 0 || !isJsonObject(value)) throw new UnreadablePart();
  // What is not given may follow from other fields, which need not be readable.
  const canFollow = isComputed(schema);
  const parts = fields.map(([name, field]): [string, PropertyDescriptor] => [
    name,
    canFollow && value[name] === undefined ? UNREADABLE : partOf(field, value[name]),
  ]);
  return Object.defineProperties({}, Object.fromEntries(parts));
}

const UNREADABLE: PropertyDescriptor = {
  enumerable: true,
  get: () => {
    throw new UnreadablePart();
  },
};

function partOf(schema: z.ZodType, value: unknown): PropertyDescriptor {
  const part = ifReadable(() => ({ value: readableParts(schema, value) }));
  return part ? { ...part, enumerable: true } : UNREADABLE;
}

/** What `read` gives; `undefined` if it looks at something that could not be read. */
export function ifReadable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof UnreadablePart) return undefined;
    throw error;
  }
}
