import { isJsonObject, type JsonValue, parseJson } from '../json.ts';

/** A value of Calico's IPAM is not what its layout says. */
export class IpamValueError extends Error {
  override readonly name = 'IpamValueError';
}

/** Fields of a stored object that we do not know; written back as they were. */
export type UnknownFields = Readonly<Record<string, JsonValue>>;

/** Parses the value of an IPAM key: an object. */
export function parseIpamObject(what: string, text: string): Record<string, JsonValue> {
  let value: JsonValue;
  try {
    value = parseJson(text);
  } catch (cause) {
    throw new IpamValueError(`${what} is not JSON`, { cause });
  }
  if (!isJsonObject(value)) throw new IpamValueError(`${what} is not a JSON object`);
  return { ...value } as Record<string, JsonValue>;
}

/** Takes fields out of an object one by one; what is left at the end is unknown. */
export class FieldReader {
  readonly #what: string;
  readonly #rest: Record<string, JsonValue>;

  constructor(what: string, object: Record<string, JsonValue>) {
    this.#what = what;
    this.#rest = { ...object };
  }

  /** Go writes `null` for absent. */
  #take(name: string): JsonValue | undefined {
    const value = this.#rest[name] ?? undefined;
    delete this.#rest[name];
    return value;
  }

  text(name: string): string | undefined {
    const value = this.#take(name);
    if (value === undefined || typeof value === 'string') return value;
    throw this.#error(name, 'a string');
  }

  /** Absent is false. Calico's custom resources write booleans as strings in places. */
  flag(name: string): boolean {
    const value = this.#take(name);
    return value === true || value === 'true';
  }

  count(name: string): number | undefined {
    const value = this.#take(name);
    if (value === undefined || Number.isSafeInteger(value)) return value as number | undefined;
    throw this.#error(name, 'a whole number');
  }

  integer(name: string): bigint | undefined {
    const value = this.#take(name);
    return value === undefined ? undefined : this.#bigint(name, value);
  }

  /** Absent is empty. */
  list<T>(name: string, item: (value: JsonValue) => T): T[] {
    const value = this.#take(name) ?? [];
    if (!Array.isArray(value)) throw this.#error(name, 'a list');
    return (value as readonly JsonValue[]).map(item);
  }

  /** Absent is `undefined`. */
  map<T>(name: string, item: (value: JsonValue) => T): Record<string, T> | undefined {
    const value = this.#take(name);
    if (value === undefined) return undefined;
    if (!isJsonObject(value)) throw this.#error(name, 'an object');
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => [key, item(inner as JsonValue)]),
    );
  }

  /** A map to 64-bit integers. */
  integers(name: string): Record<string, bigint> {
    return this.map(name, (value) => this.#bigint(name, value)) ?? {};
  }

  rest(): UnknownFields {
    return this.#rest;
  }

  #bigint(name: string, value: JsonValue): bigint {
    if (typeof value === 'bigint') return value;
    if (Number.isSafeInteger(value)) return BigInt(value as number);
    throw this.#error(name, 'a whole number');
  }

  #error(name: string, wanted: string): IpamValueError {
    return new IpamValueError(`${this.#what}: ${name} is not ${wanted}`);
  }
}
