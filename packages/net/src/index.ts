export type { IpAddress } from './address.ts';
export {
  addressBytes,
  addressFromBigInt,
  addressFromBytes,
  addressToBigInt,
  compareAddresses,
  isAddress,
  isLinkLocal,
  parseAddress,
} from './address.ts';
export type { Asn } from './asn.ts';
export { AS_TRANS, parseAsn } from './asn.ts';
export type { Brand } from './brand.ts';
export type { Family } from './family.ts';
export { ADDRESS_BITS, ADDRESS_OCTETS, familyOf } from './family.ts';
export { ParseError } from './parse-error.ts';
export type { InterfaceAddress, Prefix } from './prefix.ts';
export {
  addressAt,
  comparePrefixes,
  contains,
  formatInterfaceAddress,
  hostPrefix,
  isHostPrefix,
  networkAddress,
  ordinalOf,
  overlaps,
  parseInterfaceAddress,
  parseLoosePrefix,
  parsePrefix,
  prefixBytes,
  prefixFromBytes,
  prefixLength,
  prefixOf,
  prefixSize,
  subnetAt,
  subnetCount,
} from './prefix.ts';
export type { PrefixEntry } from './prefix-table.ts';
export { PrefixTable } from './prefix-table.ts';
export type {
  NextHop,
  NextHopSet,
  RouteBatch,
  RouteChange,
  WeightedNextHop,
} from './route-batch.ts';
export { packRoutes, recordOctets, unpackRoutes } from './route-batch.ts';
export { isWorkloadLink, WORKLOAD_LINK } from './workload-link.ts';
