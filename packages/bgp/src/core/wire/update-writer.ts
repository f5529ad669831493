import { ADDRESS_OCTETS, type Family } from '@overland/net';
import { afiOf, SAFI_UNICAST } from './address-family.ts';
import type { EncodedAttributes } from './attribute-encoder.ts';
import { AttributeCode, AttributeFlag } from './attribute-set.ts';
import { HEADER_OCTETS, MessageType } from './header.ts';

/** Withdrawn routes length and total path attribute length. */
const LENGTH_FIELDS_OCTETS = 4;
const MP_HEADER_OCTETS = 4;
const MP_FLAGS = AttributeFlag.Optional | AttributeFlag.ExtendedLength;

/** Octets of a message that are neither attributes nor NLRI, at most: IPv6 with a next hop of 32 octets. */
export const MAX_FRAME_OCTETS = HEADER_OCTETS + LENGTH_FIELDS_OCTETS + MP_HEADER_OCTETS + 5 + 32;

/** The longest prefix as NLRI, octets. */
export const MAX_NLRI_OCTETS = 17;

const NO_ATTRIBUTES: EncodedAttributes = {
  octets: new Uint8Array(0),
  length: 0,
  nextHopAt: -1,
};

/**
 * Frames one UPDATE in place: begin, write prefixes from {@link at} up to {@link end}, finish. RFC 4271 section
 * 4.3; for IPv6, and for IPv4 with IPv6 next hops (RFC 8950), MP_REACH_NLRI or MP_UNREACH_NLRI comes first and alone (RFC 7606 section 5.1).
 */
export class UpdateWriter {
  /** Where the next prefix goes; the caller moves it. */
  at = 0;
  /** Where prefixes must end. */
  end = 0;
  /** Where the next hop of an announcement is in {@link target}. */
  nextHopAt = 0;
  #target: Uint8Array = new Uint8Array(0);
  #start = 0;
  #family: Family = 'ipv4';
  #announces = false;
  /** Prefixes are in MP_REACH_NLRI or MP_UNREACH_NLRI, not in the message's own fields. */
  #isMultiprotocol = false;
  #attributes = NO_ATTRIBUTES;

  /** What is written to. */
  get target(): Uint8Array {
    return this.#target;
  }

  /** @param maxOctets Of the whole message. */
  open(target: Uint8Array, start: number, maxOctets: number): void {
    this.#target = target;
    this.#start = start;
    this.end = start + maxOctets;
    this.at = start + HEADER_OCTETS;
  }

  /** Prefixes that follow are withdrawn; none at all makes End-of-RIB (RFC 4724 section 2). */
  beginWithdraw(family: Family): void {
    this.#family = family;
    this.#announces = false;
    this.#isMultiprotocol = family !== 'ipv4';
    this.#attributes = NO_ATTRIBUTES;
    if (!this.#isMultiprotocol) {
      this.at += 2;
      this.end -= 2;
    } else {
      this.at += LENGTH_FIELDS_OCTETS + MP_HEADER_OCTETS;
      this.#putFamily();
    }
  }

  /**
   * Prefixes that follow are announced.
   *
   * @param attributes With a NEXT_HOP: prefixes are in the message's own field. Without: in MP_REACH_NLRI.
   * @param nextHop 4 octets for a NEXT_HOP; 4, 16 or 32 for MP_REACH_NLRI.
   */
  beginAnnounce(family: Family, attributes: EncodedAttributes, nextHop: Uint8Array): void {
    this.#family = family;
    this.#announces = true;
    this.#isMultiprotocol = attributes.nextHopAt < 0;
    this.#attributes = attributes;
    this.at += LENGTH_FIELDS_OCTETS;
    if (!this.#isMultiprotocol) {
      this.#putAttributes();
      this.nextHopAt = this.at - attributes.length + attributes.nextHopAt;
      for (let i = 0; i < ADDRESS_OCTETS.ipv4; i += 1)
        this.#put(this.nextHopAt + i, nextHop[i] ?? 0);
    } else {
      this.at += MP_HEADER_OCTETS;
      this.#putFamily();
      this.#put(this.at, nextHop.length);
      this.nextHopAt = this.at + 1;
      for (let i = 0; i < nextHop.length; i += 1) this.#put(this.at + 1 + i, nextHop[i] ?? 0);
      this.#put(this.at + 1 + nextHop.length, 0);
      this.at += nextHop.length + 2;
      this.end -= attributes.length;
    }
  }

  /** @returns Octets of the whole message. */
  finish(): number {
    const lengthsAt = this.#start + HEADER_OCTETS;
    if (!this.#isMultiprotocol) {
      if (this.#announces) {
        this.#putU16(lengthsAt, 0);
        this.#putU16(lengthsAt + 2, this.#attributes.length);
      } else {
        this.#putU16(lengthsAt, this.at - lengthsAt - 2);
        this.#putU16(this.at, 0);
        this.at += 2;
      }
    } else {
      const mpAt = lengthsAt + LENGTH_FIELDS_OCTETS;
      this.#put(mpAt, MP_FLAGS);
      this.#put(mpAt + 1, this.#announces ? AttributeCode.MpReach : AttributeCode.MpUnreach);
      this.#putU16(mpAt + 2, this.at - mpAt - MP_HEADER_OCTETS);
      this.#putAttributes();
      this.#putU16(lengthsAt, 0);
      this.#putU16(lengthsAt + 2, this.at - mpAt);
    }
    this.#putHeader();
    return this.at - this.#start;
  }

  #putFamily(): void {
    this.#putU16(this.at, afiOf(this.#family));
    this.#put(this.at + 2, SAFI_UNICAST);
    this.at += 3;
  }

  #putAttributes(): void {
    const { octets, length } = this.#attributes;
    for (let i = 0; i < length; i += 1) this.#put(this.at + i, octets[i] ?? 0);
    this.at += length;
  }

  #putHeader(): void {
    this.#target.fill(0xff, this.#start, this.#start + HEADER_OCTETS - 3);
    this.#putU16(this.#start + HEADER_OCTETS - 3, this.at - this.#start);
    this.#put(this.#start + HEADER_OCTETS - 1, MessageType.Update);
  }

  #putU16(at: number, value: number): void {
    this.#target[at] = value >>> 8;
    this.#target[at + 1] = value;
  }

  #put(at: number, value: number): void {
    this.#target[at] = value;
  }
}
