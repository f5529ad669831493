import { type AsPathField, asPathLength, neighbourAs } from './as-path.ts';
import { AttributeCode, AttributeCursor, readU32 } from './attribute-set.ts';

/** Well-known communities. RFC 1997. */
const NO_EXPORT = 0xffff_ff01;
const NO_ADVERTISE = 0xffff_ff02;
const NO_EXPORT_SUBCONFED = 0xffff_ff03;

/** What the decision process and egress need to know of an attribute set. */
export interface AttributeSummary {
  origin: number;
  /** An empty path if the set has none. */
  asPath: AsPathField;
  asPathLength: number;
  neighbourAs: number;
  /** `undefined` if the set has none. */
  med: number | undefined;
  localPref: number | undefined;
  noExport: boolean;
  noAdvertise: boolean;
}

/** Reads an attribute set once. Only well-formed sets are interned, so there is nothing to check. */
export function summarise(set: Uint8Array): AttributeSummary {
  const summary: AttributeSummary = {
    origin: 0,
    asPath: { bytes: set, from: 0, to: 0, width: 4 },
    asPathLength: 0,
    neighbourAs: 0,
    med: undefined,
    localPref: undefined,
    noExport: false,
    noAdvertise: false,
  };
  const cursor = new AttributeCursor(set);
  while (cursor.next()) readInto(summary, set, cursor);
  return summary;
}

function readInto(summary: AttributeSummary, set: Uint8Array, cursor: AttributeCursor): void {
  switch (cursor.code) {
    case AttributeCode.Origin:
      summary.origin = set[cursor.from] ?? 0;
      break;
    case AttributeCode.AsPath:
      summary.asPath = { bytes: set, from: cursor.from, to: cursor.to, width: 4 };
      summary.asPathLength = asPathLength(summary.asPath);
      summary.neighbourAs = neighbourAs(summary.asPath);
      break;
    case AttributeCode.Med:
      summary.med = readU32(set, cursor.from);
      break;
    case AttributeCode.LocalPref:
      summary.localPref = readU32(set, cursor.from);
      break;
    case AttributeCode.Communities:
      for (let at = cursor.from; at < cursor.to; at += 4) {
        const community = readU32(set, at);
        if (community === NO_EXPORT || community === NO_EXPORT_SUBCONFED) summary.noExport = true;
        else if (community === NO_ADVERTISE) summary.noAdvertise = true;
      }
      break;
    default:
      break;
  }
}
