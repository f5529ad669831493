/**
 * Protocol Buffers for the few messages that are needed, from tables (proto3,
 * https://protobuf.dev/programming-guides/encoding/). Fields that a table does not name are skipped. 64-bit
 * integers are decimal text: revisions and lease IDs pass 2^53.
 */

/** How a field is written: `text` is `bytes` holding UTF-8. */
type Scalar = 'text' | 'int64' | 'int32' | 'bool';

/** Types of fields by name, and their numbers. */
export interface Field<T extends Scalar | Message = Scalar | Message, R extends boolean = boolean> {
  readonly number: number;
  readonly type: T;
  readonly repeated: R;
}

export interface Message {
  readonly fields: Readonly<Record<string, Field>>;
}

interface ScalarValue {
  readonly text: string;
  readonly int64: string;
  readonly int32: number;
  readonly bool: boolean;
}

type ValueOf<T> = T extends Scalar ? ScalarValue[T] : T extends Message ? Decoded<T> : never;
type InputOf<T> = T extends Scalar ? ScalarValue[T] : T extends Message ? Encodable<T> : never;

/** What decoding gives: absent scalars have their zero, absent messages are `undefined`. */
export type Decoded<M extends Message> = {
  readonly [Name in keyof M['fields']]: M['fields'][Name] extends Field<infer T, infer R>
    ? R extends true
      ? readonly ValueOf<T>[]
      : T extends Message
        ? ValueOf<T> | undefined
        : ValueOf<T>
    : never;
};

/** What can be encoded: any part of the fields. */
export type Encodable<M extends Message> = {
  readonly [Name in keyof M['fields']]?: M['fields'][Name] extends Field<infer T, infer R>
    ? (R extends true ? readonly InputOf<T>[] : InputOf<T>) | undefined
    : never;
};

export function message<const F extends Readonly<Record<string, Field>>>(
  fields: F,
): { readonly fields: F } {
  return { fields };
}

export function one<T extends Scalar | Message>(number: number, type: T): Field<T, false> {
  return { number, type, repeated: false };
}

export function many<T extends Scalar | Message>(number: number, type: T): Field<T, true> {
  return { number, type, repeated: true };
}

const VARINT = 0;
const FIXED64 = 1;
const DELIMITED = 2;
const FIXED32 = 5;

/** Encodes a message; zeros are left out, as proto3 has it. */
export function encode<M extends Message>(type: M, value: Encodable<M>): Buffer {
  const chunks: Uint8Array[] = [];
  writeMessage(chunks, type, value as Readonly<Record<string, unknown>>);
  return Buffer.concat(chunks);
}

function writeMessage(
  chunks: Uint8Array[],
  type: Message,
  value: Readonly<Record<string, unknown>>,
): void {
  for (const name in type.fields) {
    const field = type.fields[name];
    const given = value[name];
    if (given === undefined || !field) continue;
    if (!field.repeated) writeField(chunks, field, given, false);
    else for (const item of given as readonly unknown[]) writeField(chunks, field, item, true);
  }
}

function writeField(
  chunks: Uint8Array[],
  { number, type }: Field,
  value: unknown,
  isItem: boolean,
): void {
  if (type === 'text' || typeof type === 'object') {
    const content =
      type === 'text'
        ? Buffer.from(value as string)
        : encode(type, value as Readonly<Record<string, never>>);
    if (content.length === 0 && type === 'text' && !isItem) return;
    chunks.push(smallVarint((number << 3) | DELIMITED), smallVarint(content.length), content);
    return;
  }
  const integer = BigInt(value as string | number | boolean);
  if (integer === 0n && !isItem) return;
  chunks.push(smallVarint((number << 3) | VARINT), varint(BigInt.asUintN(64, integer)));
}

/** Of a tag or a length: below 2^31. */
function smallVarint(value: number): Uint8Array {
  if (value < 0x80) return Uint8Array.of(value);
  if (value < 0x4000) return Uint8Array.of((value & 0x7f) | 0x80, value >>> 7);
  return varint(BigInt(value));
}

function varint(value: bigint): Uint8Array {
  const octets: number[] = [];
  let rest = value;
  while (rest > 0x7fn) {
    octets.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  octets.push(Number(rest));
  return Uint8Array.from(octets);
}

/**
 * Decodes a message.
 *
 * @throws {RangeError} If it is cut short or malformed.
 */
export function decode<M extends Message>(type: M, octets: Uint8Array): Decoded<M> {
  const buffer = Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength);
  return new Decoder(buffer).message(type, buffer.length) as Decoded<M>;
}

/** Tables by field number, made once per message type. */
const byNumber = new WeakMap<Message, ReadonlyMap<number, readonly [string, Field]>>();

class Decoder {
  readonly #buffer: Buffer;
  #at = 0;

  constructor(buffer: Buffer) {
    this.#buffer = buffer;
  }

  message(type: Message, end: number): Record<string, unknown> {
    const value: Record<string, unknown> = {};
    for (const [name, field] of Object.entries(type.fields)) value[name] = zero(field);
    const fields = tableOf(type);
    while (this.#at < end) {
      const tag = this.#small();
      const [name, field] = fields.get(tag >>> 3) ?? [];
      if (!field || name === undefined) this.#skip(tag & 7);
      else if (field.repeated) (value[name] as unknown[]).push(this.#value(field.type));
      else value[name] = this.#value(field.type);
    }
    if (this.#at !== end) throw new RangeError('a message is cut short');
    return value;
  }

  #value(type: Scalar | Message): unknown {
    if (type === 'int64') return this.#int64();
    if (type === 'int32') return this.#small();
    if (type === 'bool') return this.#small() !== 0;
    const end = this.#length();
    if (type !== 'text') return this.message(type, end);
    const text = this.#buffer.toString('utf8', this.#at, end);
    this.#at = end;
    return text;
  }

  /** Where the length-delimited content that follows ends. */
  #length(): number {
    const length = this.#small();
    const end = this.#at + length;
    if (end > this.#buffer.length) throw new RangeError('a field is cut short');
    return end;
  }

  #octet(): number {
    const octet = this.#buffer[this.#at++];
    if (octet === undefined) throw new RangeError('an integer is cut short');
    return octet;
  }

  /** A varint that fits a number. */
  #small(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const octet = this.#octet();
      value += (octet & 0x7f) * scale;
      if (octet < 0x80) return value;
    }
  }

  #int64(): string {
    const start = this.#at;
    while (this.#octet() >= 0x80);
    const octets = this.#buffer.subarray(start, this.#at);
    if (octets.length <= 7) {
      this.#at = start;
      return String(this.#small());
    }
    let value = 0n;
    for (let i = octets.length - 1; i >= 0; i--)
      value = (value << 7n) | BigInt((octets[i] ?? 0) & 0x7f);
    return BigInt.asIntN(64, value).toString();
  }

  #skip(wireType: number): void {
    if (wireType === VARINT) while (this.#octet() >= 0x80);
    else if (wireType === DELIMITED) this.#at = this.#length();
    else if (wireType === FIXED64) this.#at += 8;
    else if (wireType === FIXED32) this.#at += 4;
    else throw new RangeError(`wire type ${wireType}`);
  }
}

function tableOf(type: Message): ReadonlyMap<number, readonly [string, Field]> {
  let table = byNumber.get(type);
  if (!table) {
    table = new Map(
      Object.entries(type.fields).map(([name, field]) => [field.number, [name, field] as const]),
    );
    byNumber.set(type, table);
  }
  return table;
}

function zero({ type, repeated }: Field): unknown {
  if (repeated) return [];
  if (typeof type === 'object') return undefined;
  return { text: '', int64: '0', int32: 0, bool: false }[type];
}
