import { MAX_ATTRIBUTE_OCTETS } from '../rib/attribute-table.ts';
import { prependAsNumbers } from '../wire/as-path.ts';
import {
  AttributeCode,
  AttributeCursor,
  AttributeFlag,
  attributeType,
  writeAttributeHeader,
  writeU32,
} from '../wire/attribute-set.ts';
import { editLinkBandwidth } from '../wire/link-bandwidth.ts';
import type { AttributeEdits } from './attribute-edits.ts';
import { communityOctets, editCommunities, isAbout } from './edit-communities.ts';

/** The edited set would be longer than `MAX_ATTRIBUTE_OCTETS`: the route has to be refused. */
export const TOO_LONG = -1;

const OPTIONAL_TRANSITIVE = AttributeFlag.Optional | AttributeFlag.Transitive;

/** The attributes that edits are about, in the order of a set, with the flags of a new one. */
const EDITED = [
  { code: AttributeCode.AsPath, flags: AttributeFlag.Transitive },
  { code: AttributeCode.Med, flags: AttributeFlag.Optional },
  { code: AttributeCode.LocalPref, flags: AttributeFlag.Transitive },
  { code: AttributeCode.Communities, flags: OPTIONAL_TRANSITIVE },
  { code: AttributeCode.ExtendedCommunities, flags: OPTIONAL_TRANSITIVE },
  { code: AttributeCode.LargeCommunities, flags: OPTIONAL_TRANSITIVE },
] as const;

const BEHIND_ALL_CODES = 256;

/**
 * Writes an attribute set with edits made: again a normalised one (wire/attribute-set.ts), so equal results can be
 * interned as one. What no edit is about stays as it is, down to the order of communities.
 *
 * @param target At least `MAX_ATTRIBUTE_OCTETS` long, and not `bytes`.
 * @returns The length of the edited set, from the front of `target` on; or {@link TOO_LONG}.
 */
export function applyEdits(
  bytes: Uint8Array,
  { offset, length }: { readonly offset: number; readonly length: number },
  edits: AttributeEdits,
  target: Uint8Array,
): number {
  const cursor = new AttributeCursor();
  cursor.start(bytes, offset, length);
  let at = 0;
  let next = 0;
  /** Writes those of {@link EDITED} that the set lacks, as far as they come before a code. */
  const putNew = (code: number): void => {
    for (let row = EDITED[next]; row && row.code < code; row = EDITED[next]) {
      at = putEdited({ ...row, bytes, from: 0, to: 0 }, false, edits, { target, at });
      next += 1;
    }
  };
  while (cursor.next()) {
    putNew(cursor.code);
    if (EDITED[next]?.code === cursor.code) next += 1;
    at = putEdited(cursor, true, edits, { target, at });
  }
  putNew(BEHIND_ALL_CODES);
  return at > MAX_ATTRIBUTE_OCTETS ? TOO_LONG : at;
}

type Attribute = Pick<AttributeCursor, 'bytes' | 'flags' | 'code' | 'from' | 'to'>;

interface Output {
  readonly target: Uint8Array;
  readonly at: number;
}

/** @param exists Whether the set has the attribute. @returns The offset behind what was written. */
function putEdited(
  attribute: Attribute,
  exists: boolean,
  edits: AttributeEdits,
  output: Output,
): number {
  const { code } = attribute;
  const { med, localPref, prepend, linkBandwidth } = edits;
  if (code === AttributeCode.Med && med !== undefined) {
    return med === 'remove' ? output.at : putNumber(attribute, med, output);
  }
  if (code === AttributeCode.LocalPref && localPref !== undefined) {
    return putNumber(attribute, localPref, output);
  }
  if (code === AttributeCode.AsPath && prepend.length > 0) {
    return putValue(attribute, output, (target, from) =>
      prependAsNumbers({ ...attribute, width: 4 }, prepend, target, from),
    );
  }
  if (code === AttributeCode.ExtendedCommunities && linkBandwidth !== undefined) {
    return putValue(attribute, output, (target, from) =>
      editLinkBandwidth(attribute, linkBandwidth, target, from),
    );
  }
  const octets = communityOctets(code);
  if (octets !== undefined && isAbout(edits, octets)) {
    return putValue(attribute, output, (target, from) =>
      editCommunities(attribute, octets, edits, { target, at: from }),
    );
  }
  return exists ? copy(attribute, output) : output.at;
}

function putNumber({ flags, code }: Attribute, value: number, { target, at }: Output): number {
  const from = writeAttributeHeader(target, at, attributeType(flags, code), 4);
  writeU32(target, from, value);
  return from + 4;
}

/** Writes what `write` puts at an offset, behind a header; nothing if it puts nothing. */
function putValue(
  { flags, code }: Attribute,
  { target, at }: Output,
  write: (target: Uint8Array, from: number) => number,
): number {
  // Behind the longest header. That of up to 255 octets is one shorter.
  const written = at + 4;
  const length = write(target, written) - written;
  if (length === 0 && code !== AttributeCode.AsPath) return at;
  const from = writeAttributeHeader(target, at, attributeType(flags, code), length);
  if (from < written) target.copyWithin(from, written, written + length);
  return from + length;
}

function copy({ bytes, flags, code, from, to }: Attribute, { target, at }: Output): number {
  let out = writeAttributeHeader(target, at, attributeType(flags, code), to - from);
  for (let i = from; i < to; i += 1, out += 1) target[out] = bytes[i] ?? 0;
  return out;
}
