import { AS_TRANS } from '@overland/net';
import { type AsPathEdit, type AsPathField, needsAs4Path, writeAsPath } from './as-path.ts';
import {
  AttributeCode,
  AttributeCursor,
  AttributeFlag,
  readU32,
  writeAttributeHeader,
  writeU32,
} from './attribute-set.ts';

const LOCAL_PREF_BEFORE = AttributeCode.AtomicAggregate;
const MAX_TWO_OCTET_ASN = 0xffff;

/** How attributes change on their way to a peer. */
export interface EncoderRules {
  readonly ebgp: boolean;
  readonly fourOctetAs: boolean;
  /** Prepended towards eBGP peers. */
  readonly localAsn: number;
  /** Replaced by {@link localAsn} towards eBGP peers; 0: none. */
  readonly overrideAsn: number;
  /** Write a NEXT_HOP attribute; otherwise the next hop is in MP_REACH_NLRI. */
  readonly hasNextHop: boolean;
}

/** Attributes ready for a message. */
export interface EncodedAttributes {
  /** The first `length` octets; borrowed until the scratch memory is used again. */
  readonly octets: Uint8Array;
  readonly length: number;
  /** Offset of the value of NEXT_HOP, for each peer to patch; -1 if there is none. */
  readonly nextHopAt: number;
}

/** Turns interned attribute sets into what goes into a message. RFC 4271 section 5.1, RFC 6793 section 4.2.2. */
export class AttributeEncoder {
  readonly #rules: EncoderRules;
  readonly #edit: Omit<AsPathEdit, 'width'>;
  readonly #out: Uint8Array;
  #at = 0;
  #nextHopAt = -1;

  /** @param scratch To encode into, larger than a message; shared by encoders that are not used at once. */
  constructor(rules: EncoderRules, scratch: Uint8Array) {
    this.#rules = rules;
    this.#out = scratch;
    this.#edit = rules.ebgp
      ? { prepend: rules.localAsn, override: rules.overrideAsn }
      : { prepend: 0, override: 0 };
  }

  /** @param localPref For iBGP peers. */
  encode(set: Uint8Array, localPref: number): EncodedAttributes {
    const cursor = new AttributeCursor(set);
    this.#at = 0;
    this.#nextHopAt = -1;
    let owesLocalPref = !this.#rules.ebgp;
    while (cursor.next()) {
      if (owesLocalPref && cursor.code >= LOCAL_PREF_BEFORE) {
        this.#putLocalPref(localPref);
        owesLocalPref = false;
      }
      this.#attribute(set, cursor);
    }
    if (owesLocalPref) this.#putLocalPref(localPref);
    if (!this.#rules.fourOctetAs) this.#putAs4(set);
    return { octets: this.#out, length: this.#at, nextHopAt: this.#nextHopAt };
  }

  #attribute(set: Uint8Array, cursor: AttributeCursor): void {
    switch (cursor.code) {
      case AttributeCode.AsPath:
        this.#putPath(cursor.code, pathAt(set, cursor), this.#rules.fourOctetAs ? 4 : 2);
        if (this.#rules.hasNextHop) this.#putNextHop();
        break;
      case AttributeCode.LocalPref:
        // Written from the argument.
        break;
      case AttributeCode.Med:
      case AttributeCode.OriginatorId:
      case AttributeCode.ClusterList:
        // None of these crosses an AS boundary. RFC 4271 section 5.1.4, RFC 4456 section 8.
        if (!this.#rules.ebgp) this.#copy(set, cursor);
        break;
      case AttributeCode.Aggregator:
        if (this.#rules.fourOctetAs) this.#copy(set, cursor);
        else this.#putNarrowAggregator(set, cursor);
        break;
      default:
        this.#copy(set, cursor);
    }
  }

  /** @returns The offset of the value. */
  #header(code: number, flags: number, length: number): number {
    const at = writeAttributeHeader(this.#out, this.#at, { flags, code, length });
    this.#at = at + length;
    return at;
  }

  #copy(set: Uint8Array, { flags, code, from, to }: AttributeCursor): void {
    let at = this.#header(code, flags, to - from);
    for (let i = from; i < to; i += 1, at += 1) this.#out[at] = set[i] ?? 0;
  }

  #putLocalPref(localPref: number): void {
    const at = this.#header(AttributeCode.LocalPref, AttributeFlag.Transitive, 4);
    writeU32(this.#out, at, localPref);
  }

  #putNextHop(): void {
    this.#nextHopAt = this.#header(AttributeCode.NextHop, AttributeFlag.Transitive, 4);
  }

  #putPath(code: number, path: AsPathField, width: 2 | 4): void {
    const flags =
      code === AttributeCode.AsPath
        ? AttributeFlag.Transitive
        : AttributeFlag.Optional | AttributeFlag.Transitive;
    const start = this.#at;
    const from = start + 4;
    const to = writeAsPath(path, { ...this.#edit, width }, this.#out, from);
    const at = this.#header(code, flags, to - from);
    if (at < from) this.#out.copyWithin(at, from, to);
  }

  #putNarrowAggregator(set: Uint8Array, { flags, code, from }: AttributeCursor): void {
    const asn = readU32(set, from);
    const at = this.#header(code, flags, 6);
    const narrow = asn > MAX_TWO_OCTET_ASN ? AS_TRANS : asn;
    this.#out[at] = narrow >>> 8;
    this.#out[at + 1] = narrow;
    writeU32(this.#out, at + 2, readU32(set, from + 4));
  }

  /** What a two-octet speaker cannot say otherwise goes along in AS4_PATH and AS4_AGGREGATOR. */
  #putAs4(set: Uint8Array): void {
    const cursor = new AttributeCursor(set);
    while (cursor.next()) {
      if (cursor.code === AttributeCode.AsPath) {
        const path = pathAt(set, cursor);
        const isWide = needsAs4Path(path) || this.#edit.prepend > MAX_TWO_OCTET_ASN;
        if (isWide) this.#putPath(AttributeCode.As4Path, path, 4);
      } else if (cursor.code === AttributeCode.Aggregator) {
        const asn = readU32(set, cursor.from);
        if (asn <= MAX_TWO_OCTET_ASN) continue;
        const at = this.#header(AttributeCode.As4Aggregator, cursor.flags, 8);
        writeU32(this.#out, at, asn);
        writeU32(this.#out, at + 4, readU32(set, cursor.from + 4));
      }
    }
  }
}

function pathAt(bytes: Uint8Array, { from, to }: AttributeCursor): AsPathField {
  return { bytes, from, to, width: 4 };
}
