import {
  AttributeCode,
  AttributeFlag,
  attributeType,
  writeAttributeHeader,
} from './attribute-set.ts';

/** The attribute set of what we originate: ORIGIN IGP and an empty AS_PATH. RFC 4271 section 5.1. */
export function originatedSet(): Uint8Array {
  const set = new Uint8Array(7);
  const origin = attributeType(AttributeFlag.Transitive, AttributeCode.Origin);
  const asPath = attributeType(AttributeFlag.Transitive, AttributeCode.AsPath);
  writeAttributeHeader(set, writeAttributeHeader(set, 0, origin, 1) + 1, asPath, 0);
  return set;
}
