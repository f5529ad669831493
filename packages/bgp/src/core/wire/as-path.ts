import { AS_TRANS } from '@overland/net';

const AS_SET = 1;
const AS_SEQUENCE = 2;
const MAX_SEGMENT_COUNT = 255;

/**
 * An AS_PATH or AS4_PATH value inside a larger array. RFC 4271 section 4.3, RFC 6793.
 *
 *   +----------+-----------+-------------------------+
 *   | Type (1) | Count (1) | AS numbers (Count × 2   |  … repeated
 *   |          |           | or 4, by the session)   |
 *   +----------+-----------+-------------------------+
 */
export interface AsPathField {
  readonly bytes: Uint8Array;
  readonly from: number;
  readonly to: number;
  /** Octets of an AS number. */
  readonly width: 2 | 4;
}

/**
 * Whether every segment is whole, not empty, and of a type that a peer outside a confederation may send, and no AS
 * number is 0. RFC 7606 section 7.2, RFC 7607, RFC 5065 section 5.3.
 */
export function isAsPath(bytes: Uint8Array, from: number, to: number, width: 2 | 4): boolean {
  let at = from;
  while (at < to) {
    const type = bytes[at];
    const count = bytes[at + 1] ?? 0;
    const end = at + 2 + count * width;
    if ((type !== AS_SET && type !== AS_SEQUENCE) || count === 0 || end > to) return false;
    for (at += 2; at < end; at += width) {
      if (readAs(bytes, at, width) === 0) return false;
    }
  }
  return true;
}

/** Length for the decision process: an AS_SET counts as one. RFC 4271 section 9.1.2.2. */
export function asPathLength({ bytes, from, to, width }: AsPathField): number {
  let length = 0;
  for (let at = from; at < to; ) {
    const count = bytes[at + 1] ?? 0;
    length += bytes[at] === AS_SET ? 1 : count;
    at += 2 + count * width;
  }
  return length;
}

/** The AS that the route came from; 0 if the path is empty or begins with an AS_SET. RFC 4271 section 9.1.2.2. */
export function neighbourAs({ bytes, from, to, width }: AsPathField): number {
  return from < to && bytes[from] === AS_SEQUENCE ? readAs(bytes, from + 2, width) : 0;
}

/**
 * The AS that originated the route: the last one of the path, `ownAsn` for an empty path, and 0 (none) if the path
 * ends with an AS_SET. RFC 6811 section 2.
 */
export function originAs({ bytes, from, to, width }: AsPathField, ownAsn: number): number {
  if (from >= to) return ownAsn;
  let last = from;
  for (let at = from; at < to; at += 2 + (bytes[at + 1] ?? 0) * width) last = at;
  return bytes[last] === AS_SEQUENCE ? readAs(bytes, to - width, width) : 0;
}

/** Whether two paths of the same width are the same, segment by segment. */
export function equalAsPaths(a: AsPathField, b: AsPathField): boolean {
  if (a.to - a.from !== b.to - b.from) return false;
  for (let i = 0; a.from + i < a.to; i += 1) {
    if (a.bytes[a.from + i] !== b.bytes[b.from + i]) return false;
  }
  return true;
}

/** How often an AS number occurs. */
export function countAs({ bytes, from, to, width }: AsPathField, asn: number): number {
  let occurrences = 0;
  for (let at = from; at < to; ) {
    const end = at + 2 + (bytes[at + 1] ?? 0) * width;
    for (at += 2; at < end; at += width) {
      if (readAs(bytes, at, width) === asn) occurrences += 1;
    }
  }
  return occurrences;
}

/** All AS numbers in order, for people; sets are not marked. */
export function asNumbers({ bytes, from, to, width }: AsPathField): number[] {
  const numbers: number[] = [];
  for (let at = from; at < to; ) {
    const end = at + 2 + (bytes[at + 1] ?? 0) * width;
    for (at += 2; at < end; at += width) numbers.push(readAs(bytes, at, width));
  }
  return numbers;
}

/** One segment of a path, for people. */
export interface DescribedSegment {
  readonly type: 'sequence' | 'set';
  readonly asns: readonly number[];
}

/** The segments of a path for which {@link isAsPath} holds. */
export function describeAsPath({ bytes, from, to, width }: AsPathField): DescribedSegment[] {
  const segments: DescribedSegment[] = [];
  for (let at = from; at < to; ) {
    const end = at + 2 + (bytes[at + 1] ?? 0) * width;
    const type = bytes[at] === AS_SET ? 'set' : 'sequence';
    segments.push({ type, asns: asNumbers({ bytes, from: at, to: end, width }) });
    at = end;
  }
  return segments;
}

/** Whether a path has an AS_SET. RFC 9774. */
export function hasAsSet(bytes: Uint8Array, from: number, to: number, width: 2 | 4): boolean {
  for (let at = from; at < to; at += 2 + (bytes[at + 1] ?? 0) * width) {
    if (bytes[at] === AS_SET) return true;
  }
  return false;
}

/** Copies a path into `target` with AS numbers of four octets. @returns The offset behind it. */
export function widenAsPath(path: AsPathField, target: Uint8Array, at: number): number {
  return copySegments(path, Number.POSITIVE_INFINITY, target, at);
}

/**
 * Builds the true path out of what a two-octet speaker sent: the leading AS numbers that AS4_PATH lacks, then
 * AS4_PATH. An AS4_PATH longer than the AS_PATH is ignored. RFC 6793 section 4.2.3.
 *
 * @returns The offset behind it.
 */
export function mergeAs4Path(
  path: AsPathField,
  as4: AsPathField,
  target: Uint8Array,
  at: number,
): number {
  const missing = asPathLength(path) - asPathLength(as4);
  if (missing < 0) return widenAsPath(path, target, at);
  return widenAsPath(as4, target, copySegments(path, missing, target, at));
}

/** Copies the first `limit` AS numbers (a set counting as one) with four octets each. */
function copySegments(path: AsPathField, limit: number, target: Uint8Array, start: number): number {
  let left = limit;
  let to = start;
  for (let at = path.from; at < path.to && left > 0; ) {
    const type = path.bytes[at] ?? 0;
    const count = path.bytes[at + 1] ?? 0;
    const copied = type === AS_SET ? count : Math.min(count, left);
    left -= type === AS_SET ? 1 : copied;
    target[to] = type;
    target[to + 1] = copied;
    to += 2;
    for (let i = 0; i < copied; i += 1, to += 4) {
      writeAs(target, to, 4, readAs(path.bytes, at + 2 + i * path.width, path.width));
    }
    at += 2 + count * path.width;
  }
  return to;
}

/** What to change in a path on its way out. */
export interface AsPathEdit {
  /** AS number to put first; 0: none. RFC 4271 section 5.1.2. */
  readonly prepend: number;
  /** Replace every occurrence of this AS number by `prepend` (as-override); 0: none. */
  readonly override: number;
  /** Octets of an AS number towards the peer. */
  readonly width: 2 | 4;
}

/**
 * Writes the path that a peer gets. A peer of the two-octet kind gets AS_TRANS for what does not fit.
 *
 * @param path Four octets per AS number.
 * @returns The offset behind it.
 */
export function writeAsPath(
  path: AsPathField,
  edit: AsPathEdit,
  target: Uint8Array,
  start: number,
): number {
  let to = start;
  let at = path.from;
  if (edit.prepend !== 0) {
    const count = path.bytes[at + 1] ?? 0;
    const joins = at < path.to && path.bytes[at] === AS_SEQUENCE && count < MAX_SEGMENT_COUNT;
    target[to] = AS_SEQUENCE;
    target[to + 1] = joins ? count + 1 : 1;
    to = writeAs(target, to + 2, edit.width, edit.prepend);
    if (joins) {
      to = copyNumbers(path, at + 2, edit, { target, to, count });
      at += 2 + 4 * count;
    }
  }
  while (at < path.to) {
    const count = path.bytes[at + 1] ?? 0;
    target[to] = path.bytes[at] ?? 0;
    target[to + 1] = count;
    to = copyNumbers(path, at + 2, edit, { target, to: to + 2, count });
    at += 2 + 4 * count;
  }
  return to;
}

function copyNumbers(
  path: AsPathField,
  from: number,
  edit: AsPathEdit,
  out: { readonly target: Uint8Array; readonly to: number; readonly count: number },
): number {
  if (edit.width === 4 && edit.override === 0) return copyOctets(path.bytes, from, out);
  let to = out.to;
  for (let i = 0; i < out.count; i += 1) {
    const asn = readAs(path.bytes, from + 4 * i, 4);
    to = writeAs(out.target, to, edit.width, asn === edit.override ? edit.prepend : asn);
  }
  return to;
}

/** The usual case, without numbers: V8 has slower ones for those above 2^31. */
function copyOctets(
  bytes: Uint8Array,
  from: number,
  {
    target,
    to,
    count,
  }: { readonly target: Uint8Array; readonly to: number; readonly count: number },
): number {
  const octets = 4 * count;
  for (let i = 0; i < octets; i += 1) target[to + i] = bytes[from + i] ?? 0;
  return to + octets;
}

/**
 * Writes a path (four octets per AS number) with AS numbers in front of it. They join its first segment as long as
 * that is a sequence and has room. RFC 4271 section 5.1.2.
 *
 * @param asns The first of the new path first.
 * @returns The offset behind it.
 */
export function prependAsNumbers(
  path: AsPathField,
  asns: readonly number[],
  target: Uint8Array,
  start: number,
): number {
  const { bytes, from, to } = path;
  const isSequence = from < to && bytes[from] === AS_SEQUENCE;
  const count = isSequence ? (bytes[from + 1] ?? 0) : 0;
  const joining = Math.min(asns.length, MAX_SEGMENT_COUNT - count);
  let at = start;
  let next = 0;
  const putSegment = (size: number, follows: number) => {
    target[at] = AS_SEQUENCE;
    target[at + 1] = size + follows;
    at += 2;
    for (const end = next + size; next < end; next += 1) {
      at = writeAs(target, at, 4, asns[next] ?? 0);
    }
  };
  // Only the segment in front may have room left.
  const ahead = asns.length - joining;
  if (ahead % MAX_SEGMENT_COUNT > 0) putSegment(ahead % MAX_SEGMENT_COUNT, 0);
  while (next < ahead) putSegment(MAX_SEGMENT_COUNT, 0);
  if (joining + count > 0) putSegment(joining, count);
  for (let i = isSequence ? from + 2 : from; i < to; i += 1, at += 1) target[at] = bytes[i] ?? 0;
  return at;
}

/** Whether a path (four octets per AS number) says more than AS_TRANS can. RFC 6793 section 4.2.2. */
export function needsAs4Path(path: AsPathField): boolean {
  for (let at = path.from; at < path.to; ) {
    const end = at + 2 + (path.bytes[at + 1] ?? 0) * 4;
    for (at += 2; at < end; at += 4) {
      if (readAs(path.bytes, at, 4) > 0xffff) return true;
    }
  }
  return false;
}

function readAs(bytes: Uint8Array, at: number, width: 2 | 4): number {
  const low = ((bytes[at + width - 2] ?? 0) << 8) | (bytes[at + width - 1] ?? 0);
  if (width === 2) return low;
  return (((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16) | low) >>> 0;
}

function writeAs(target: Uint8Array, at: number, width: 2 | 4, asn: number): number {
  const value = width === 2 && asn > 0xffff ? AS_TRANS : asn;
  if (width === 4) {
    target[at] = value >>> 24;
    target[at + 1] = value >>> 16;
  }
  target[at + width - 2] = value >>> 8;
  target[at + width - 1] = value;
  return at + width;
}
