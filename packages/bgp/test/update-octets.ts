import { addressBytes, familyOf, parseAddress, parsePrefix, prefixBytes } from '@overland/net';

/** An UPDATE as a test says it. Written without the production encoder, so that each checks the other. */
export interface UpdateText {
  readonly withdraw?: readonly string[];
  readonly announce?: readonly string[];
  /** Path identifiers of all prefixes, in their order; absent: they have none. RFC 7911. */
  readonly pathIds?: readonly number[];
  readonly nextHop?: string;
  readonly origin?: 0 | 1 | 2;
  readonly asPath?: readonly number[];
  readonly med?: number;
  readonly localPref?: number;
  /** `65000:1` or the value. */
  readonly communities?: readonly number[];
  readonly originatorId?: number;
  readonly clusterList?: readonly number[];
  /** Whole attributes that go behind the others. */
  readonly extra?: readonly (readonly number[])[];
  /** Octets of an AS number. */
  readonly asOctets?: 2 | 4;
}

/** The body of an UPDATE, without the header. All prefixes of one family. */
export function updateOctets(update: UpdateText): Uint8Array {
  const { announce = [], withdraw = [], nextHop = '' } = update;
  const isIpv6 = [...announce, ...withdraw].some((prefix) => familyOf(prefix) === 'ipv6');
  const isMultiprotocol = isIpv6 || nextHop.includes(':');
  const attributes = [
    ...(isMultiprotocol ? multiprotocol(update, isIpv6 ? 2 : 1) : []),
    ...(announce.length > 0 ? pathAttributes(update, !isMultiprotocol) : []),
    ...(update.extra ?? []).flat(),
  ];
  const withdrawn = isMultiprotocol ? [] : nlri(withdraw, update.pathIds);
  const announced = isMultiprotocol ? [] : nlri(announce, update.pathIds);
  return Uint8Array.from([
    ...u16(withdrawn.length),
    ...withdrawn,
    ...u16(attributes.length),
    ...attributes,
    ...announced,
  ]);
}

/** End-of-RIB. RFC 4724 section 2. */
export function endOfRibOctets(family: 'ipv4' | 'ipv6'): Uint8Array {
  return family === 'ipv4'
    ? Uint8Array.of(0, 0, 0, 0)
    : Uint8Array.of(0, 0, 0, 6, 0x80, 15, 3, 0, 2, 1);
}

export function attribute(flags: number, code: number, value: readonly number[]): number[] {
  return [flags | 0x10, code, ...u16(value.length), ...value];
}

function pathAttributes(update: UpdateText, hasNextHop: boolean): number[] {
  const { origin = 0, asPath = [], asOctets = 4, med, localPref, communities } = update;
  const { originatorId, clusterList } = update;
  const numbers = asPath.flatMap((asn) => (asOctets === 4 ? u32(asn) : u16(asn)));
  const segment = asPath.length > 0 ? [2, asPath.length, ...numbers] : [];
  return [
    ...attribute(0x40, 1, [origin]),
    ...attribute(0x40, 2, segment),
    ...(hasNextHop ? attribute(0x40, 3, octets(update.nextHop ?? '10.1.0.1')) : []),
    ...(med === undefined ? [] : attribute(0x80, 4, u32(med))),
    ...(localPref === undefined ? [] : attribute(0x40, 5, u32(localPref))),
    ...(communities ? attribute(0xc0, 8, communities.flatMap(u32)) : []),
    ...(originatorId === undefined ? [] : attribute(0x80, 9, u32(originatorId))),
    ...(clusterList ? attribute(0x80, 10, clusterList.flatMap(u32)) : []),
  ];
}

function multiprotocol(
  { announce = [], withdraw = [], nextHop = 'fd00::1', pathIds }: UpdateText,
  afi: 1 | 2,
): number[] {
  const hop = nextHop.split(' ').flatMap(octets);
  return [
    ...(withdraw.length > 0 ? attribute(0x80, 15, [0, afi, 1, ...nlri(withdraw, pathIds)]) : []),
    ...(announce.length > 0
      ? attribute(0x80, 14, [0, afi, 1, hop.length, ...hop, 0, ...nlri(announce, pathIds)])
      : []),
  ];
}

function nlri(prefixes: readonly string[], pathIds?: readonly number[]): number[] {
  return prefixes.flatMap((text, i) => {
    const prefix = prefixBytes(parsePrefix(text));
    const identifier = pathIds ? u32(pathIds[i] ?? 0) : [];
    return [
      ...identifier,
      prefix.length,
      ...prefix.octets.subarray(0, Math.ceil(prefix.length / 8)),
    ];
  });
}

function octets(address: string): number[] {
  return [...addressBytes(parseAddress(address))];
}

function u16(value: number): number[] {
  return [value >>> 8, value & 0xff];
}

function u32(value: number): number[] {
  return [...u16(value >>> 16), ...u16(value & 0xffff)];
}
