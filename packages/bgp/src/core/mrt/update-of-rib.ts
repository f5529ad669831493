import type { Family } from '@overland/net';
import { Writer } from '../wire/writer.ts';
import { updateAttributes } from './rib-attributes.ts';

/** The body of an UPDATE that announces a prefix as an entry of a RIB has it. RFC 4271 section 4.3. */
export function updateOfRib(family: Family, nlri: Uint8Array, attributes: Uint8Array): Uint8Array {
  const complete = updateAttributes(attributes, family, nlri);
  // Where there is an MP_REACH_NLRI the prefix stands in it.
  const isMultiprotocol = family === 'ipv6' || complete !== attributes;
  const body = new Writer().u16(0).u16(complete.length).bytes(complete);
  return (isMultiprotocol ? body : body.bytes(nlri)).finish();
}
