import { addressBytes, type IpAddress } from '@overland/net';
import {
  AttributeCode,
  AttributeFlag,
  attributeType,
  writeAttributeHeader,
  writeU32,
} from './attribute-set.ts';
import type { CommunityValue } from './communities.ts';

/** What an aggregate is announced with. */
export interface AggregateAttributes {
  /** 0 IGP, 1 EGP, 2 INCOMPLETE. */
  readonly origin: number;
  readonly asn: number;
  readonly routerId: IpAddress;
  readonly communities: readonly CommunityValue[];
}

const WELL_KNOWN = AttributeFlag.Transitive;
const OPTIONAL = AttributeFlag.Optional | AttributeFlag.Transitive;
const AGGREGATOR_OCTETS = 8;

/**
 * The attribute set of an aggregate: an empty AS_PATH, ATOMIC_AGGREGATE because those of its contributors are lost, and
 * AGGREGATOR. RFC 4271 sections 5.1.6, 5.1.7 and 9.1.4.
 */
export function aggregateSet({
  origin,
  asn,
  routerId,
  communities,
}: AggregateAttributes): Uint8Array {
  const standard = communities.filter((value) => typeof value === 'number');
  const large = communities.filter((value) => typeof value !== 'number').flat();
  const set = new Uint8Array(64 + 4 * (standard.length + large.length));
  const put = (flags: number, code: number, octets: number): number =>
    writeAttributeHeader(set, at, attributeType(flags, code), octets);
  let at = 0;
  at = put(WELL_KNOWN, AttributeCode.Origin, 1);
  set[at] = origin;
  at += 1;
  at = put(WELL_KNOWN, AttributeCode.AsPath, 0);
  at = put(WELL_KNOWN, AttributeCode.AtomicAggregate, 0);
  at = put(OPTIONAL, AttributeCode.Aggregator, AGGREGATOR_OCTETS);
  writeU32(set, at, asn);
  set.set(addressBytes(routerId), at + 4);
  at += AGGREGATOR_OCTETS;
  for (const [code, words] of [
    [AttributeCode.Communities, standard],
    [AttributeCode.LargeCommunities, large],
  ] as const) {
    if (words.length === 0) continue;
    at = put(OPTIONAL, code, 4 * words.length);
    for (const [i, word] of words.entries()) writeU32(set, at + 4 * i, word);
    at += 4 * words.length;
  }
  return set.subarray(0, at);
}
