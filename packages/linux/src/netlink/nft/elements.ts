import { padded, type ValueType } from './value-types.ts';

/** What an element of a map says: `goto` and `jump` with a chain. */
export interface Verdict {
  readonly code: number;
  readonly chain?: string;
}

/** An element as the kernel takes it. Of a set of intervals, two make one: where it starts, and where it has ended. */
export interface RawElement {
  readonly key: Uint8Array;
  /** Of concatenations with intervals: the last that it holds. */
  readonly keyEnd?: Uint8Array;
  readonly isEnd?: boolean;
  readonly verdict?: Verdict;
}

/** Values from `first` to `last`, both of them held. */
export interface Interval {
  readonly first: Uint8Array;
  readonly last: Uint8Array;
}

/** Reads a value, a prefix or a range of a type. @returns `undefined` if it is none. */
export function parseInterval(text: string, type: ValueType): Interval | undefined {
  const value = type.parse(text);
  if (value) return { first: value, last: value };
  if (type.order === 'host') return undefined;
  const slash = text.indexOf('/');
  if (slash > 0) return parsePrefix(type.parse(text.slice(0, slash)), text.slice(slash + 1));
  const dash = text.indexOf('-');
  const first = dash < 0 ? undefined : type.parse(text.slice(0, dash));
  const last = first && type.parse(text.slice(dash + 1));
  return first && last && compareOctets(first, last) <= 0 ? { first, last } : undefined;
}

function parsePrefix(address: Uint8Array | undefined, length: string): Interval | undefined {
  if (!address || !/^\d{1,3}$/.test(length) || Number(length) > address.length * 8)
    return undefined;
  const mask = maskOf(Number(length), address.length);
  return {
    first: address.map((octet, i) => octet & (mask[i] ?? 0)),
    last: address.map((octet, i) => octet | (~(mask[i] ?? 0) & 0xff)),
  };
}

/** As many ones as `bits`, then zeros. */
export function maskOf(bits: number, octets: number): Uint8Array {
  return Uint8Array.from({ length: octets }, (_, i) => {
    const ones = Math.min(8, Math.max(0, bits - 8 * i));
    return 0xff & ~(0xff >> ones);
  });
}

/** Length of the prefix that the interval is. @returns `undefined` if it is none. */
export function prefixLengthOf({ first, last }: Interval): number | undefined {
  let length = 0;
  let hasEnded = false;
  for (const [i, octet] of first.entries()) {
    const different = octet ^ (last[i] ?? 0);
    if (hasEnded ? different !== 0xff || octet !== 0 : (different & (different + 1)) !== 0) {
      return undefined;
    }
    if ((octet & different) !== 0) return undefined;
    if (!hasEnded) {
      length += Math.clz32(different) - 24;
      hasEnded = different !== 0;
    }
  }
  return length;
}

/** Canonical text: the value, the prefix, or the range. */
export function printInterval(interval: Interval, type: ValueType): string {
  const { first, last } = interval;
  if (compareOctets(first, last) === 0) return type.print(first);
  const length = type.octets >= 4 ? prefixLengthOf(interval) : undefined;
  return length === undefined
    ? `${type.print(first)}-${type.print(last)}`
    : `${type.print(first)}/${length}`;
}

/** Of equal length. */
export function compareOctets(a: Uint8Array, b: Uint8Array): number {
  for (const [i, octet] of a.entries()) {
    const difference = octet - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** The value behind this one; `undefined` behind the last. */
function successor(value: Uint8Array): Uint8Array | undefined {
  const next = value.slice();
  for (let i = next.length - 1; i >= 0; i--) {
    const octet = ((next[i] ?? 0) + 1) & 0xff;
    next[i] = octet;
    if (octet !== 0) return next;
  }
  return undefined;
}

/** The value before this one, which is not the first. */
export function predecessor(value: Uint8Array): Uint8Array {
  const before = value.slice();
  for (let i = before.length - 1; i >= 0; i--) {
    const octet = (before[i] ?? 0) - 1;
    before[i] = octet & 0xff;
    if (octet >= 0) break;
  }
  return before;
}

/** Intervals in order; those that overlap or touch have become one, as nft merges those of a rule. */
export function mergeIntervals(intervals: readonly Interval[]): Interval[] {
  const merged: Interval[] = [];
  for (const { first, last } of intervals.toSorted((a, b) => compareOctets(a.first, b.first))) {
    const before = merged.at(-1);
    const next = before && successor(before.last);
    if (before && (next === undefined || compareOctets(first, next) <= 0)) {
      const end = compareOctets(before.last, last) > 0 ? before.last : last;
      merged[merged.length - 1] = { first: before.first, last: end };
    } else {
      merged.push({ first, last });
    }
  }
  return merged;
}

/** Where an interval starts, and where it has ended unless that is behind the last value. */
export function boundsOf({ first, last }: Interval, verdict?: Verdict): RawElement[] {
  const end = successor(last);
  const start = { key: first, ...(verdict && { verdict }) };
  return end ? [start, { key: end, isEnd: true }] : [start];
}

/** Parts of a concatenation as one key, each filled up to whole words. */
export function concatenated(parts: readonly Uint8Array[]): Uint8Array {
  const key = new Uint8Array(parts.reduce((sum, { length }) => sum + padded(length), 0));
  let at = 0;
  for (const part of parts) {
    key.set(part, at);
    at += padded(part.length);
  }
  return key;
}
