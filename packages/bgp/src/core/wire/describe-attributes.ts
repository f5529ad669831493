import { ADDRESS_OCTETS, addressFromBytes, type IpAddress } from '@overland/net';
import { familyFrom } from './address-family.ts';
import { type DescribedSegment, describeAsPath } from './as-path.ts';
import { ATTRIBUTE_ROWS } from './attribute-rows.ts';
import { AttributeCode, type AttributeField, AttributeFlag, readU32 } from './attribute-set.ts';
import { communityText } from './communities.ts';
import { pathIdOctets } from './mp-attributes.ts';
import { type DescribedPrefix, describeNlri, isNlri } from './nlri.ts';
import type { UpdateContext } from './update.ts';

/** What an attribute says, by its kind; `null` if it cannot be read. */
type DescribedValue =
  | string
  | number
  | boolean
  | null
  | readonly string[]
  | readonly DescribedSegment[]
  | { readonly asn: number; readonly address: IpAddress }
  | DescribedReach;

/** MP_REACH_NLRI and MP_UNREACH_NLRI. */
interface DescribedReach {
  readonly afi: number;
  readonly safi: number;
  /** Global, then link-local. */
  readonly nextHops?: readonly IpAddress[];
  readonly prefixes: readonly DescribedPrefix[];
}

/** One path attribute as it stands in a message. */
export interface DescribedAttribute {
  readonly code: number;
  /** Name in RFCs; `UNKNOWN` of codes we do not know. */
  readonly name: string;
  /** `optional`, `transitive`, `partial`, `extended length`. */
  readonly flags: readonly string[];
  readonly value: DescribedValue;
  /** The value's octets. */
  readonly hex: string;
}

const ORIGINS = ['igp', 'egp', 'incomplete'];
const FLAGS = [
  [AttributeFlag.Optional, 'optional'],
  [AttributeFlag.Transitive, 'transitive'],
  [AttributeFlag.Partial, 'partial'],
  [AttributeFlag.ExtendedLength, 'extended length'],
] as const;

/** The attributes of an UPDATE, as far as their lengths can be followed. For people; never throws. */
export function describeAttributes(
  { bytes, from, to }: AttributeField,
  context: UpdateContext,
): DescribedAttribute[] {
  const described: DescribedAttribute[] = [];
  for (let at = from; at + 3 <= to; ) {
    const flags = bytes[at] ?? 0;
    const isExtended = (flags & AttributeFlag.ExtendedLength) !== 0;
    const valueFrom = at + (isExtended ? 4 : 3);
    const low = bytes[valueFrom - 1] ?? 0;
    const length = isExtended ? ((bytes[at + 2] ?? 0) << 8) | low : low;
    const valueTo = Math.min(to, valueFrom + length);
    const field = { bytes, from: Math.min(valueFrom, to), to: valueTo };
    described.push(describeAttribute(flags, bytes[at + 1] ?? 0, field, context));
    at = valueFrom + length;
  }
  return described;
}

function describeAttribute(
  flags: number,
  code: number,
  field: AttributeField,
  context: UpdateContext,
): DescribedAttribute {
  const row = ATTRIBUTE_ROWS[code];
  const { bytes, from, to } = field;
  const isReadable = row?.isValid(bytes, from, to, context) ?? false;
  return {
    code,
    name: row?.name ?? 'UNKNOWN',
    flags: FLAGS.filter(([bit]) => (flags & bit) !== 0).map(([, name]) => name),
    value: isReadable ? describeValue(code, field, context) : null,
    hex: hexOf(field),
  };
}

function describeValue(
  code: number,
  field: AttributeField,
  context: UpdateContext,
): DescribedValue {
  const { bytes, from } = field;
  const width = context.fourOctetAs ? 4 : 2;
  switch (code) {
    case AttributeCode.OnlyToCustomer:
      return readU32(bytes, from);
    case AttributeCode.Origin:
      return ORIGINS[bytes[from] ?? 0] ?? null;
    case AttributeCode.AsPath:
      return describeAsPath({ ...field, width });
    case AttributeCode.As4Path:
      return describeAsPath({ ...field, width: 4 });
    case AttributeCode.NextHop:
    case AttributeCode.OriginatorId:
      return addressAt(field, from, 4);
    case AttributeCode.Med:
    case AttributeCode.LocalPref:
      return readU32(bytes, from);
    case AttributeCode.AtomicAggregate:
      return true;
    case AttributeCode.Aggregator:
      return describeAggregator(field, width);
    case AttributeCode.As4Aggregator:
      return describeAggregator(field, 4);
    case AttributeCode.Communities:
      return items(field, 4).map((at) => communityText(readU32(bytes, at)));
    case AttributeCode.ClusterList:
      return items(field, 4).map((at) => addressAt(field, at, 4));
    case AttributeCode.LargeCommunities:
      return items(field, 12).map((at) =>
        [0, 4, 8].map((part) => readU32(bytes, at + part)).join(':'),
      );
    case AttributeCode.MpReach:
      return describeReach(field, context, true);
    case AttributeCode.MpUnreach:
      return describeReach(field, context, false);
    case AttributeCode.ExtendedCommunities:
      return items(field, 8).map((at) => hexOf({ bytes, from: at, to: at + 8 }));
    case AttributeCode.Ipv6ExtendedCommunities:
      return items(field, 20).map((at) => hexOf({ bytes, from: at, to: at + 20 }));
    default:
      return null;
  }
}

function describeReach(
  { bytes, from, to }: AttributeField,
  context: UpdateContext,
  reaches: boolean,
): DescribedReach | null {
  if (to - from < (reaches ? 5 : 3)) return null;
  const afi = ((bytes[from] ?? 0) << 8) | (bytes[from + 1] ?? 0);
  const safi = bytes[from + 2] ?? 0;
  const family = familyFrom(afi, safi);
  if (!family) return { afi, safi, prefixes: [] };
  const hopOctets = reaches ? (bytes[from + 3] ?? 0) : 0;
  const nlri = { bytes, from: reaches ? from + 5 + hopOctets : from + 3, to };
  const idOctets = pathIdOctets(family, context.addPath);
  const width = ADDRESS_OCTETS[family];
  if (nlri.from > to || !isNlri(nlri, 8 * width, idOctets)) return null;
  const prefixes = describeNlri(family, nlri, idOctets);
  if (!reaches) return { afi, safi, prefixes };
  const hops = { bytes, from: from + 4, to: from + 4 + hopOctets };
  const hopWidth = hopOctets === 4 ? 4 : 16;
  const nextHops = items(hops, hopWidth).map((at) => addressAt(hops, at, hopWidth));
  return { afi, safi, nextHops, prefixes };
}

function describeAggregator(field: AttributeField, width: 2 | 4) {
  const { bytes, from } = field;
  const asn = width === 4 ? readU32(bytes, from) : readU32(bytes, from) >>> 16;
  return { asn, address: addressAt(field, from + width, 4) };
}

/** Offsets of the whole items of a size. */
function items({ from, to }: Pick<AttributeField, 'from' | 'to'>, octets: number): number[] {
  return Array.from({ length: Math.floor((to - from) / octets) }, (_, i) => from + i * octets);
}

function addressAt({ bytes }: AttributeField, at: number, octets: 4 | 16): IpAddress {
  return addressFromBytes(bytes.subarray(at, at + octets));
}

/** Lower case, without separators. */
export function hexOf({ bytes, from, to }: AttributeField): string {
  return Array.from(bytes.subarray(from, to), (octet) => octet.toString(16).padStart(2, '0')).join(
    '',
  );
}
