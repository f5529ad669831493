import { AS_TRANS } from '@overland/net';
import { type AsPathEdit, type AsPathField, needsAs4Path, writeAsPath } from './as-path.ts';
import {
  AttributeCode,
  AttributeCursor,
  AttributeFlag,
  attributeType,
  readU32,
  writeAttributeHeader,
  writeU32,
} from './attribute-set.ts';
import { ONLY_TO_CUSTOMER } from './only-to-customer.ts';
import { type PrivateAsRule, writeWithoutPrivateAs } from './private-as.ts';

const MAX_TWO_OCTET_ASN = 0xffff;
const OPTIONAL_TRANSITIVE = AttributeFlag.Optional | AttributeFlag.Transitive;

const AS_PATH = attributeType(AttributeFlag.Transitive, AttributeCode.AsPath);
const NEXT_HOP = attributeType(AttributeFlag.Transitive, AttributeCode.NextHop);
const LOCAL_PREF = attributeType(AttributeFlag.Transitive, AttributeCode.LocalPref);
const ORIGINATOR_ID = attributeType(AttributeFlag.Optional, AttributeCode.OriginatorId);
const CLUSTER_LIST = attributeType(AttributeFlag.Optional, AttributeCode.ClusterList);
const AS4_PATH = attributeType(OPTIONAL_TRANSITIVE, AttributeCode.As4Path);

/** How attributes change on their way to a peer. */
export interface EncoderRules {
  readonly ebgp: boolean;
  readonly fourOctetAs: boolean;
  /** Prepended towards eBGP peers. */
  readonly localAsn: number;
  /** Replaced by {@link localAsn} towards eBGP peers; 0: none. */
  readonly overrideAsn: number;
  /** Put into an OTC where there is none; 0: none is added. RFC 9234 section 5. */
  readonly otcAsn: number;
  /** Write a NEXT_HOP attribute; otherwise the next hop is in MP_REACH_NLRI. */
  readonly hasNextHop: boolean;
  /** For private AS numbers in the AS_PATH; `undefined`: they stay. */
  readonly privateAs: PrivateAsRule | undefined;
  /** Of this route reflector, put first into the CLUSTER_LIST of what it reflects. */
  readonly clusterId: number;
}

/** What only the route itself can say. */
export interface RouteFacts {
  /** For iBGP peers. */
  readonly localPref: number;
  /** Of a route that is reflected, the BGP Identifier of the router that brought it into the AS; 0: it is not. */
  readonly originatorId: number;
  /** Send MED to eBGP peers, too: it is ours, and not what another AS said. Absent: no. */
  readonly keepsMed?: boolean;
}

/** Attributes ready for a message. */
export interface EncodedAttributes {
  /** The first `length` octets; borrowed until the scratch memory is used again. */
  readonly octets: Uint8Array;
  readonly length: number;
  /** Offset of the value of NEXT_HOP, for each peer to patch; -1 if there is none. */
  readonly nextHopAt: number;
}

const EXTENDED_COMMUNITY_OCTETS = 8;
/** T bit of an extended community's type. RFC 4360 section 2. */
const NOT_TRANSITIVE = 0x40;

/**
 * Turns interned attribute sets into what goes into a message. RFC 4271 section 5.1, RFC 6793 section 4.2.2. The
 * result is its fields.
 */
export class AttributeEncoder implements EncodedAttributes {
  readonly octets: Uint8Array;
  length = 0;
  nextHopAt = -1;
  #keepsMed = false;
  readonly #rules: EncoderRules;
  readonly #edit: AsPathEdit;
  readonly #as4Edit: AsPathEdit;
  readonly #cursor = new AttributeCursor();
  /** An AS_PATH without private AS numbers. */
  #publicPath = new Uint8Array(0);

  /** @param scratch To encode into, larger than a message; shared by encoders that are not used at once. */
  constructor(rules: EncoderRules, scratch: Uint8Array) {
    this.octets = scratch;
    this.#rules = rules;
    this.#as4Edit = {
      prepend: rules.ebgp ? rules.localAsn : 0,
      override: rules.ebgp ? rules.overrideAsn : 0,
      width: 4,
    };
    this.#edit = { ...this.#as4Edit, width: rules.fourOctetAs ? 4 : 2 };
  }

  /**
   * @param set Where the set lies.
   */
  encode(
    bytes: Uint8Array,
    set: { readonly offset: number; readonly length: number },
    { localPref, originatorId, keepsMed = false }: RouteFacts,
  ): void {
    this.length = 0;
    this.#keepsMed = keepsMed;
    this.nextHopAt = -1;
    let owesLocalPref = !this.#rules.ebgp;
    let owesReflection = originatorId !== 0;
    let owesOtc = this.#rules.otcAsn !== 0;
    const cursor = this.#cursor;
    cursor.start(bytes, set.offset, set.length);
    while (cursor.next()) {
      if (owesLocalPref && cursor.code > AttributeCode.LocalPref) {
        this.#putLocalPref(localPref);
        owesLocalPref = false;
      }
      if (owesReflection && cursor.code >= AttributeCode.OriginatorId) {
        if (cursor.code === AttributeCode.OriginatorId) continue;
        this.#putReflection(originatorId, cursor);
        owesReflection = false;
        if (cursor.code === AttributeCode.ClusterList) continue;
      }
      if (owesOtc && cursor.code >= AttributeCode.OnlyToCustomer) {
        if (cursor.code > AttributeCode.OnlyToCustomer) this.#putOtc();
        owesOtc = false;
      }
      this.#attribute(cursor);
    }
    if (owesLocalPref) this.#putLocalPref(localPref);
    if (owesReflection) this.#putReflection(originatorId, cursor);
    if (owesOtc) this.#putOtc();
    if (this.#rules.fourOctetAs) return;
    cursor.start(bytes, set.offset, set.length);
    while (cursor.next()) this.#putAs4(cursor);
  }

  #attribute(cursor: AttributeCursor): void {
    const { ebgp, fourOctetAs, hasNextHop } = this.#rules;
    switch (cursor.code) {
      case AttributeCode.AsPath:
        this.#putPath(AS_PATH, this.#pathAt(cursor), this.#edit);
        if (hasNextHop) this.nextHopAt = this.#header(NEXT_HOP, 4);
        break;
      case AttributeCode.LocalPref:
        // Written from the argument.
        break;
      case AttributeCode.Med:
        // Not that of another AS: RFC 4271 section 5.1.4.
        if (!ebgp || this.#keepsMed) this.#copy(cursor);
        break;
      case AttributeCode.OriginatorId:
      case AttributeCode.ClusterList:
        // Neither crosses an AS boundary. RFC 4456 section 8.
        if (!ebgp) this.#copy(cursor);
        break;
      case AttributeCode.ExtendedCommunities:
        if (ebgp) this.#putTransitive(cursor);
        else this.#copy(cursor);
        break;
      case AttributeCode.Aggregator:
        if (fourOctetAs) this.#copy(cursor);
        else this.#putNarrowAggregator(cursor);
        break;
      default:
        this.#copy(cursor);
    }
  }

  /** @returns The offset of the value. */
  #header(type: number, length: number): number {
    const at = writeAttributeHeader(this.octets, this.length, type, length);
    this.length = at + length;
    return at;
  }

  #copy({ bytes, flags, code, from, to }: AttributeCursor): void {
    const { octets } = this;
    let at = this.#header(attributeType(flags, code), to - from);
    for (let i = from; i < to; i += 1, at += 1) octets[at] = bytes[i] ?? 0;
  }

  /** Extended communities that are not transitive stay in the AS. RFC 4360 section 6. */
  #putTransitive({ bytes, flags, code, from, to }: AttributeCursor): void {
    let kept = 0;
    for (let at = from; at < to; at += EXTENDED_COMMUNITY_OCTETS) {
      if (((bytes[at] ?? 0) & NOT_TRANSITIVE) === 0) kept += 1;
    }
    if (kept === 0) return;
    const { octets } = this;
    let target = this.#header(attributeType(flags, code), kept * EXTENDED_COMMUNITY_OCTETS);
    for (let at = from; at < to; at += EXTENDED_COMMUNITY_OCTETS) {
      if (((bytes[at] ?? 0) & NOT_TRANSITIVE) !== 0) continue;
      octets.set(bytes.subarray(at, at + EXTENDED_COMMUNITY_OCTETS), target);
      target += EXTENDED_COMMUNITY_OCTETS;
    }
  }

  #putLocalPref(localPref: number): void {
    writeU32(this.octets, this.#header(LOCAL_PREF, 4), localPref);
  }

  /** The AS_PATH where the cursor stands, without what the peer shall not see. */
  #pathAt({ bytes, from, to }: AttributeCursor): AsPathField {
    const path: AsPathField = { bytes, from, to, width: 4 };
    const { privateAs } = this.#rules;
    if (!privateAs) return path;
    if (this.#publicPath.length < to - from) this.#publicPath = new Uint8Array(to - from);
    const length = writeWithoutPrivateAs(path, privateAs, this.#publicPath);
    return { bytes: this.#publicPath, from: 0, to: length, width: 4 };
  }

  /** @param cursor May stand at the CLUSTER_LIST that the route has already. RFC 4456 section 8. */
  #putReflection(originatorId: number, { bytes, code, from, to }: AttributeCursor): void {
    const { octets } = this;
    writeU32(octets, this.#header(ORIGINATOR_ID, 4), originatorId);
    const before = code === AttributeCode.ClusterList ? to - from : 0;
    let at = this.#header(CLUSTER_LIST, 4 + before);
    writeU32(octets, at, this.#rules.clusterId);
    at += 4;
    for (let i = from; i < from + before; i += 1, at += 1) octets[at] = bytes[i] ?? 0;
  }

  #putOtc(): void {
    writeU32(this.octets, this.#header(ONLY_TO_CUSTOMER, 4), this.#rules.otcAsn);
  }

  #putPath(type: number, path: AsPathField, edit: AsPathEdit): void {
    // Written behind the longest header. Of a path of up to 255 octets the header is one shorter.
    const from = this.length + 4;
    const length = writeAsPath(path, edit, this.octets, from) - from;
    const at = this.#header(type, length);
    if (at < from) this.octets.copyWithin(at, from, from + length);
  }

  #putNarrowAggregator({ bytes, flags, code, from }: AttributeCursor): void {
    const asn = readU32(bytes, from);
    const at = this.#header(attributeType(flags, code), 6);
    const narrow = asn > MAX_TWO_OCTET_ASN ? AS_TRANS : asn;
    this.octets[at] = narrow >>> 8;
    this.octets[at + 1] = narrow;
    writeU32(this.octets, at + 2, readU32(bytes, from + 4));
  }

  /** What a two-octet speaker cannot say otherwise goes along in AS4_PATH and AS4_AGGREGATOR. */
  #putAs4(cursor: AttributeCursor): void {
    const { bytes, code, flags, from } = cursor;
    if (code === AttributeCode.AsPath) {
      const path = this.#pathAt(cursor);
      const isWide = needsAs4Path(path) || this.#edit.prepend > MAX_TWO_OCTET_ASN;
      if (isWide) this.#putPath(AS4_PATH, path, this.#as4Edit);
    } else if (code === AttributeCode.Aggregator) {
      const asn = readU32(bytes, from);
      if (asn <= MAX_TWO_OCTET_ASN) return;
      const at = this.#header(attributeType(flags, AttributeCode.As4Aggregator), 8);
      writeU32(this.octets, at, asn);
      writeU32(this.octets, at + 4, readU32(bytes, from + 4));
    }
  }
}
