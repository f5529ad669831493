import { ADDRESS_BITS, familyOf, type Prefix, parsePrefix, prefixLength } from '@overland/net';
import { isJsonObject, type JsonValue, stringifyJson } from '../json.ts';
import { FieldReader, IpamValueError, parseIpamObject, type UnknownFields } from './decode.ts';

/** What is known about one or more addresses of a block: who holds them, or that they cool down. */
export interface AllocationAttribute {
  /** Groups the addresses of one container interface. */
  readonly handleId: string | undefined;
  /** `pod`, `namespace`, `node`, `timestamp`, `type`, … */
  readonly secondary: Readonly<Record<string, string>> | undefined;
  readonly alternateOwnerAttributes: Readonly<Record<string, string>> | undefined;
  /** RFC 3339; set when the address was released and is not handed out again yet. */
  readonly releasedAt: string | undefined;
  readonly unknown: UnknownFields;
}

/** A block as it stands at `blockKey(cidr)`: `AllocationBlock` in Calico's `backend/model/block.go`. */
export interface AllocationBlock {
  readonly cidr: Prefix;
  /** `host:NAME` or `virtual:NAME`; `undefined` if nobody has it. */
  readonly affinity: string | undefined;
  /** RFC 3339. */
  readonly affinityClaimTime: string | undefined;
  /** One item per address, by ordinal: an index into `attributes`, or null if it is free. */
  readonly allocations: readonly (number | null)[];
  /** Free ordinals in the order in which they are handed out. */
  readonly unallocated: readonly number[];
  readonly attributes: readonly AllocationAttribute[];
  /** Raised with every write. Starts at the time in nanoseconds. */
  readonly sequenceNumber: bigint;
  /** Ordinal → sequence number of the block when the address was given. */
  readonly sequenceNumberForAllocation: Readonly<Record<string, bigint>>;
  readonly deleted: boolean;
  readonly unknown: UnknownFields;
}

/**
 * Decodes the value of a block. Its legacy field `hostAffinity` becomes `affinity`.
 *
 * @throws {IpamValueError} If it is not a block, or its lists do not fit its size.
 */
export function decodeBlock(text: string): AllocationBlock {
  const object = parseIpamObject('block', text);
  const reader = new FieldReader('block', object);
  const cidr = parseCidr(reader.text('cidr') ?? '');
  const hostAffinity = reader.text('hostAffinity');
  const block: AllocationBlock = {
    cidr,
    affinity:
      reader.text('affinity') ?? (hostAffinity === undefined ? undefined : `host:${hostAffinity}`),
    affinityClaimTime: reader.text('affinity_claim_time'),
    allocations: reader.list('allocations', (item) => (item === null ? null : ordinal(item))),
    unallocated: reader.list('unallocated', ordinal),
    attributes: reader.list('attributes', decodeAttribute),
    sequenceNumber: reader.integer('sequenceNumber') ?? 0n,
    sequenceNumberForAllocation: reader.integers('sequenceNumberForAllocation'),
    deleted: reader.flag('deleted'),
    unknown: reader.rest(),
  };
  const size = 2 ** (ADDRESS_BITS[familyOf(cidr)] - prefixLength(cidr));
  if (block.allocations.length !== size) {
    throw new IpamValueError(
      `block ${cidr}: has ${block.allocations.length} allocations, not ${size}`,
    );
  }
  return block;
}

/**
 * The inverse of {@link decodeBlock}, as Calico writes it. Every assignment writes a block, and most of one are numbers: these are
 * written without looking at each for a bigint.
 */
export function encodeBlock(block: AllocationBlock): string {
  const sequences = Object.entries(block.sequenceNumberForAllocation);
  const members = [
    ...membersOf({
      cidr: block.cidr,
      affinity: block.affinity ?? null,
      affinity_claim_time: block.affinityClaimTime,
    }),
    `"allocations":${JSON.stringify(block.allocations)}`,
    `"unallocated":${JSON.stringify(block.unallocated)}`,
    ...membersOf({ attributes: block.attributes.map(storedAttribute) }),
    `"sequenceNumber":${block.sequenceNumber}`,
    `"sequenceNumberForAllocation":{${sequences.map(([ordinal, sequence]) => `${JSON.stringify(ordinal)}:${sequence}`)}}`,
    ...membersOf({ deleted: block.deleted, ...block.unknown }),
  ];
  return `{${members.join(',')}}`;
}

/** The members of an object, as JSON text without the braces; none for an object with none. */
function membersOf(object: object): string[] {
  const inner = stringifyJson(object).slice(1, -1);
  return inner === '' ? [] : [inner];
}

function storedAttribute(attribute: AllocationAttribute): object {
  return {
    handle_id: attribute.handleId ?? null,
    secondary: attribute.secondary ?? null,
    alternateOwnerAttrs: attribute.alternateOwnerAttributes,
    releasedAt: attribute.releasedAt,
    ...attribute.unknown,
  };
}

function parseCidr(text: string): Prefix {
  try {
    return parsePrefix(text);
  } catch (cause) {
    throw new IpamValueError(`block: ${JSON.stringify(text)} is no prefix`, { cause });
  }
}

function ordinal(value: JsonValue): number {
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number;
  throw new IpamValueError(`block: ${stringifyJson(value)} is not an ordinal`);
}

function decodeAttribute(value: JsonValue): AllocationAttribute {
  if (!isJsonObject(value)) throw new IpamValueError('block: an attribute is not an object');
  const reader = new FieldReader('block attribute', { ...value } as Record<string, JsonValue>);
  return {
    handleId: reader.text('handle_id'),
    secondary: reader.map('secondary', String),
    alternateOwnerAttributes: reader.map('alternateOwnerAttrs', String),
    releasedAt: reader.text('releasedAt'),
    unknown: reader.rest(),
  };
}
