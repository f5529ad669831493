import { addressFromBytes, type IpAddress } from '@overland/net';
import { asNumbers } from '../wire/as-path.ts';
import { AttributeCode, AttributeCursor, readU32, writeU32 } from '../wire/attribute-set.ts';
import { AttributeSummary } from '../wire/attribute-summary.ts';
import { communityText } from '../wire/communities.ts';
import type { RouteView } from './route-engine.ts';

const ORIGINS = ['igp', 'egp', 'incomplete'] as const;

/** What an attribute set says of a path, for people. */
type AttributeView = Pick<
  RouteView['paths'][number],
  'asPath' | 'origin' | 'med' | 'localPref' | 'communities' | 'originatorId' | 'clusterList'
>;

/** Reads the attributes of `length` octets from `from` on; AS numbers have four octets. */
export function viewAttributes(bytes: Uint8Array, from: number, length: number): AttributeView {
  const summary = new AttributeSummary();
  summary.read(bytes, from, length);
  return {
    asPath: asNumbers(summary.asPath),
    origin: ORIGINS[summary.origin] ?? 'incomplete',
    med: summary.med ?? null,
    localPref: summary.localPref ?? null,
    communities: communities(bytes, from, length),
    originatorId: summary.originatorId === undefined ? null : identifier(summary.originatorId),
    clusterList: clusters(summary).map(identifier),
  };
}

/** A BGP Identifier or cluster id as one writes it. */
export function identifier(value: number): IpAddress {
  const octets = new Uint8Array(4);
  writeU32(octets, 0, value);
  return addressFromBytes(octets);
}

function clusters({ clusterCount, clusterList: { bytes, from } }: AttributeSummary): number[] {
  return Array.from({ length: clusterCount }, (_, i) => readU32(bytes, from + 4 * i));
}

function communities(bytes: Uint8Array, offset: number, length: number): string[] {
  const texts: string[] = [];
  const cursor = new AttributeCursor();
  cursor.start(bytes, offset, length);
  while (cursor.next()) {
    const { code, from, to } = cursor;
    if (code === AttributeCode.Communities) {
      for (let at = from; at < to; at += 4) texts.push(communityText(readU32(bytes, at)));
    } else if (code === AttributeCode.LargeCommunities) {
      for (let at = from; at < to; at += 12) {
        texts.push([0, 4, 8].map((part) => readU32(bytes, at + part)).join(':'));
      }
    }
  }
  return texts;
}
