import { isAsPath } from './as-path.ts';
import { AttributeCode, AttributeFlag, readU32 } from './attribute-set.ts';

/** What a malformed attribute costs. RFC 7606 section 2; what ends the session is found elsewhere. */
type Cost = 'treat-as-withdraw' | 'attribute-discard';

/** What decides whether a value is well-formed, beyond its octets. */
interface AttributeContext {
  readonly fourOctetAs: boolean;
  readonly ebgp: boolean;
}

/** Everything that the decoder knows about one attribute. */
export interface AttributeRow {
  readonly code: number;
  /** Name in RFCs and logs. */
  readonly name: string;
  /** Required values of the Optional and Transitive bits; a conflict is treat-as-withdraw (RFC 7606 section 3c). */
  readonly flags: number;
  readonly malformed: Cost;
  /** `ibgp`: an eBGP peer may not send it; it is discarded, well-formed or not. */
  readonly from: 'any' | 'ibgp';
  /** `handled`: read by the decoder and no part of the attribute set. */
  readonly keep: 'in set' | 'handled';
  readonly isValid: ValueCheck;
}

/** Whether the value from `from` to `to` is well-formed. */
type ValueCheck = (
  bytes: Uint8Array,
  from: number,
  to: number,
  context: AttributeContext,
) => boolean;

const WELL_KNOWN = AttributeFlag.Transitive;
const OPTIONAL = AttributeFlag.Optional;
const OPTIONAL_TRANSITIVE = AttributeFlag.Optional | AttributeFlag.Transitive;
const MAX_ORIGIN = 2;

const exactly =
  (octets: number): ValueCheck =>
  (_bytes, from, to) =>
    to - from === octets;

/** One or more items of a size. */
const listOf =
  (octets: number): ValueCheck =>
  (_bytes, from, to) =>
    to > from && (to - from) % octets === 0;

const isOrigin: ValueCheck = (bytes, from, to) =>
  to - from === 1 && (bytes[from] ?? 0) <= MAX_ORIGIN;

const isAsPathValue: ValueCheck = (bytes, from, to, { fourOctetAs }) =>
  isAsPath(bytes, from, to, fourOctetAs ? 4 : 2);

const isAs4Path: ValueCheck = (bytes, from, to) => isAsPath(bytes, from, to, 4);

/** AS number 0 in AGGREGATOR is malformed too. RFC 7607. */
const isAggregator: ValueCheck = (bytes, from, to, { fourOctetAs }) => {
  if (to - from !== (fourOctetAs ? 8 : 6)) return false;
  return fourOctetAs
    ? readU32(bytes, from) !== 0
    : ((bytes[from] ?? 0) | (bytes[from + 1] ?? 0)) !== 0;
};

const isAs4Aggregator: ValueCheck = (bytes, from, to) =>
  to - from === 8 && readU32(bytes, from) !== 0;

/** MP attributes are checked while they are split: a fault in them ends the session. */
const anyValue: ValueCheck = () => true;

const row = (
  code: number,
  name: string,
  flags: number,
  rest: Pick<AttributeRow, 'isValid'> & Partial<AttributeRow>,
): AttributeRow => ({
  code,
  name,
  flags,
  malformed: 'treat-as-withdraw',
  from: 'any',
  keep: 'in set',
  ...rest,
});

/** One row per attribute that we know; the costs are those of RFC 7606 section 7 and each attribute's own RFC. */
const ROWS: readonly AttributeRow[] = [
  row(AttributeCode.Origin, 'ORIGIN', WELL_KNOWN, { isValid: isOrigin }),
  row(AttributeCode.AsPath, 'AS_PATH', WELL_KNOWN, { isValid: isAsPathValue }),
  row(AttributeCode.NextHop, 'NEXT_HOP', WELL_KNOWN, { isValid: exactly(4), keep: 'handled' }),
  row(AttributeCode.Med, 'MULTI_EXIT_DISC', OPTIONAL, { isValid: exactly(4) }),
  row(AttributeCode.LocalPref, 'LOCAL_PREF', WELL_KNOWN, { isValid: exactly(4), from: 'ibgp' }),
  row(AttributeCode.AtomicAggregate, 'ATOMIC_AGGREGATE', WELL_KNOWN, {
    isValid: exactly(0),
    malformed: 'attribute-discard',
  }),
  row(AttributeCode.Aggregator, 'AGGREGATOR', OPTIONAL_TRANSITIVE, {
    isValid: isAggregator,
    malformed: 'attribute-discard',
  }),
  row(AttributeCode.Communities, 'COMMUNITIES', OPTIONAL_TRANSITIVE, { isValid: listOf(4) }),
  row(AttributeCode.OriginatorId, 'ORIGINATOR_ID', OPTIONAL, { isValid: exactly(4), from: 'ibgp' }),
  row(AttributeCode.ClusterList, 'CLUSTER_LIST', OPTIONAL, { isValid: listOf(4), from: 'ibgp' }),
  row(AttributeCode.MpReach, 'MP_REACH_NLRI', OPTIONAL, { isValid: anyValue, keep: 'handled' }),
  row(AttributeCode.MpUnreach, 'MP_UNREACH_NLRI', OPTIONAL, { isValid: anyValue, keep: 'handled' }),
  row(AttributeCode.ExtendedCommunities, 'EXTENDED_COMMUNITIES', OPTIONAL_TRANSITIVE, {
    isValid: listOf(8),
  }),
  row(AttributeCode.As4Path, 'AS4_PATH', OPTIONAL_TRANSITIVE, {
    isValid: isAs4Path,
    malformed: 'attribute-discard',
    keep: 'handled',
  }),
  row(AttributeCode.As4Aggregator, 'AS4_AGGREGATOR', OPTIONAL_TRANSITIVE, {
    isValid: isAs4Aggregator,
    malformed: 'attribute-discard',
    keep: 'handled',
  }),
  row(AttributeCode.Ipv6ExtendedCommunities, 'IPV6_EXTENDED_COMMUNITIES', OPTIONAL_TRANSITIVE, {
    isValid: listOf(20),
  }),
  row(AttributeCode.LargeCommunities, 'LARGE_COMMUNITIES', OPTIONAL_TRANSITIVE, {
    isValid: listOf(12),
  }),
  row(AttributeCode.OnlyToCustomer, 'ONLY_TO_CUSTOMER', OPTIONAL_TRANSITIVE, {
    isValid: exactly(4),
  }),
];

/** The rows by type code; `undefined` for what we do not know. */
export const ATTRIBUTE_ROWS: readonly (AttributeRow | undefined)[] = Array.from(
  { length: 256 },
  (_, code) => ROWS.find((candidate) => candidate.code === code),
);
