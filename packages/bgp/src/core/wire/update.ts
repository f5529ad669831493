import { ADDRESS_OCTETS, AS_TRANS, type Family } from '@overland/net';
import type { NotificationFault } from '../rib/route-engine.ts';
import { hasAsSet, neighbourAs } from './as-path.ts';
import { AttributeCollector } from './attribute-collector.ts';
import { ATTRIBUTE_ROWS, type AttributeRow } from './attribute-rows.ts';
import { AttributeCode, AttributeFlag } from './attribute-set.ts';
import { BgpError, ErrorCode } from './bgp-error.ts';
import { HEADER_OCTETS, MAX_MESSAGE_OCTETS } from './header.ts';
import {
  emptySection,
  type NlriContext,
  type NlriSection,
  pathIdOctets,
  splitMpReach,
  splitMpUnreach,
} from './mp-attributes.ts';
import { isNlri } from './nlri.ts';

/** UPDATE Message Error subcodes. RFC 4271 section 6.3. */
const UpdateSubcode = {
  MalformedAttributeList: 1,
  UnrecognizedWellKnownAttribute: 2,
  OptionalAttributeError: 9,
  InvalidNetworkField: 10,
} as const;

/** What a session negotiated that decides how an UPDATE reads. */
export interface UpdateContext extends NlriContext {
  readonly fourOctetAs: boolean;
  readonly ebgp: boolean;
  /** AS number that a received AS_PATH must begin with; 0 or absent: any. */
  readonly firstAs?: number;
  /** Refuse an AS_PATH with an AS_SET. RFC 9774. */
  readonly refusesAsSets?: boolean;
}

/** Why an AS_PATH that is well-formed is refused. */
export type AsPathRefusal = 'first-as' | 'as-set';

const OPTIONAL_AND_TRANSITIVE = AttributeFlag.Optional | AttributeFlag.Transitive;
const IPV4_END_OF_RIB_OCTETS = 4;

/**
 * Decodes UPDATE messages. RFC 4271 section 4.3, RFC 4760, errors as RFC 7606 wants them. One decoder serves a
 * whole speaker; the result is its fields, valid until the next message.
 *
 *   +--------------------+-----------+-----------------------+------------+------+
 *   | Withdrawn length 2 | Withdrawn | Attributes length (2) | Attributes | NLRI |
 *   +--------------------+-----------+-----------------------+------------+------+
 */
export class UpdateDecoder {
  /** Prefixes that the peer takes back: in the message's own field, and in MP_UNREACH_NLRI. */
  readonly withdrawn = [emptySection(), emptySection()] as const;
  /**
   * Prefixes that the peer announces: in the message's own field, and in MP_REACH_NLRI. They are withdrawn as well
   * if {@link withdrawReason} is set.
   */
  readonly announced = [emptySection(), emptySection()] as const;
  /** Why the announced prefixes are to be treated as withdrawn; `undefined` if they are not. */
  withdrawReason: string | undefined;
  /** Why the announced prefixes are refused although the message is well-formed; `undefined` if they are not. */
  asPathRefusal: AsPathRefusal | undefined;
  /** Names of attributes that were discarded. */
  readonly discarded: string[] = [];
  /** The family whose End-of-RIB this is. RFC 4724 section 2. */
  endOfRib: Family | undefined;
  /** The normalised attribute set of the announced prefixes. */
  readonly attributes: AttributeCollector;

  readonly #maxBodyOctets: number;
  #body: Uint8Array = new Uint8Array(0);
  #context: UpdateContext = { fourOctetAs: true, ebgp: true, families: [] };

  /** @param maxMessageOctets More than usual for extended messages (RFC 8654). */
  constructor(maxMessageOctets = MAX_MESSAGE_OCTETS) {
    this.attributes = new AttributeCollector(maxMessageOctets);
    this.#maxBodyOctets = maxMessageOctets - HEADER_OCTETS;
  }

  /**
   * Never throws, whatever the octets are.
   *
   * @param body The message without its header; borrowed while the fields are read.
   * @returns The fault that ends the session.
   */
  decode(body: Uint8Array, context: UpdateContext): NotificationFault | undefined {
    this.#body = body;
    this.#context = context;
    clear(this.withdrawn[1]);
    clear(this.announced[1]);
    if (this.discarded.length > 0) this.discarded.length = 0;
    this.withdrawReason = undefined;
    this.asPathRefusal = undefined;
    this.endOfRib = undefined;
    this.attributes.start(body);
    return this.#sections();
  }

  #sections(): NotificationFault | undefined {
    const body = this.#body;
    if (body.length < 4) return malformedList('the message is too short');
    if (body.length > this.#maxBodyOctets) return malformedList('the message is too long');
    const attributesAt = 2 + readU16(body, 0);
    if (attributesAt + 2 > body.length)
      return malformedList('withdrawn routes overrun the message');
    const attributesFrom = attributesAt + 2;
    const nlriFrom = attributesFrom + readU16(body, attributesAt);
    if (nlriFrom > body.length) return malformedList('path attributes overrun the message');
    const withdrawn = { bytes: body, from: 2, to: attributesAt };
    const nlri = { bytes: body, from: nlriFrom, to: body.length };
    const idOctets = pathIdOctets('ipv4', this.#context.addPath);
    if (!isNlri(withdrawn, 32, idOctets)) return invalidNetwork('withdrawn routes');
    if (!isNlri(nlri, 32, idOctets)) return invalidNetwork('NLRI');
    this.withdrawn[0].from = 2;
    this.withdrawn[0].to = attributesAt;
    if (body.length === IPV4_END_OF_RIB_OCTETS) this.endOfRib = 'ipv4';

    const fault = this.#attributes(attributesFrom, nlriFrom);
    if (fault) return fault;
    const [announced] = this.announced;
    announced.from = nlriFrom;
    announced.to = body.length;
    const hasNextHop = this.attributes.has(AttributeCode.NextHop);
    announced.nextHopFrom = hasNextHop ? this.attributes.valueOf(AttributeCode.NextHop) : 0;
    announced.nextHopOctets = hasNextHop ? ADDRESS_OCTETS.ipv4 : 0;
    return this.#conclude(attributesFrom < nlriFrom, nlriFrom < body.length);
  }

  #attributes(from: number, to: number): NotificationFault | undefined {
    const body = this.#body;
    for (let at = from; at < to; ) {
      const flags = body[at] ?? 0;
      const header = (flags & AttributeFlag.ExtendedLength) === 0 ? 3 : 4;
      const valueFrom = at + header;
      const length = header === 3 ? (body[at + 2] ?? 0) : readU16(body, at + 2);
      if (valueFrom > to || valueFrom + length > to) {
        this.withdrawReason = 'attribute-overrun';
        return undefined;
      }
      const fault = this.#attribute(at, valueFrom, valueFrom + length);
      if (fault) return fault;
      at = valueFrom + length;
    }
    return undefined;
  }

  /** @param at Offset of the header. */
  #attribute(at: number, from: number, to: number): NotificationFault | undefined {
    const flags = this.#body[at] ?? 0;
    const code = this.#body[at + 1] ?? 0;
    const row = ATTRIBUTE_ROWS[code];
    if (!this.attributes.see(code)) return this.#duplicate(code);
    if (!row) return this.#unknown(at, from, to);
    if ((flags & OPTIONAL_AND_TRANSITIVE) !== row.flags) {
      this.withdrawReason ??= `flags of ${row.name}`;
    }
    if (row.code === AttributeCode.MpReach || row.code === AttributeCode.MpUnreach) {
      return this.#multiprotocol(row, at, to, from);
    }
    const isRefused = row.from === 'ibgp' && this.#context.ebgp;
    if (isRefused || !row.isValid(this.#body, from, to, this.#context)) {
      if (isRefused || row.malformed === 'attribute-discard') this.discarded.push(row.name);
      else this.withdrawReason ??= row.name;
      return undefined;
    }
    this.attributes.take(code, from, to);
    if (code === AttributeCode.AsPath || code === AttributeCode.As4Path) {
      this.#judgePath(code, from, to);
    }
    if (row.keep === 'in set') this.attributes.keep(code, row.flags | (flags & partialIn(row)));
    return undefined;
  }

  /** What the session refuses in an AS_PATH. AS4_PATH means nothing between four-octet speakers. */
  #judgePath(code: number, from: number, to: number): void {
    const { fourOctetAs, firstAs = 0, refusesAsSets = false } = this.#context;
    const isPath = code === AttributeCode.AsPath;
    if (!isPath && fourOctetAs) return;
    const bytes = this.#body;
    const width = isPath && !fourOctetAs ? 2 : 4;
    if (isPath && firstAs !== 0) {
      const expected = width === 2 && firstAs > 0xffff ? AS_TRANS : firstAs;
      if (neighbourAs({ bytes, from, to, width }) !== expected) this.asPathRefusal ??= 'first-as';
    }
    if (refusesAsSets && hasAsSet(bytes, from, to, width)) this.asPathRefusal ??= 'as-set';
  }

  /** All but the first are discarded, except that nobody may have two MP attributes. RFC 7606 section 3g. */
  #duplicate(code: number): NotificationFault | undefined {
    if (code === AttributeCode.MpReach || code === AttributeCode.MpUnreach) {
      return malformedList(`two attributes of type ${code}`);
    }
    this.discarded.push(ATTRIBUTE_ROWS[code]?.name ?? 'unknown attribute');
    return undefined;
  }

  /** Passed on with the Partial bit if it is transitive, else ignored. RFC 4271 section 5. */
  #unknown(at: number, from: number, to: number): NotificationFault | undefined {
    const flags = this.#body[at] ?? 0;
    const code = this.#body[at + 1] ?? 0;
    if ((flags & AttributeFlag.Optional) === 0) {
      const subcode = UpdateSubcode.UnrecognizedWellKnownAttribute;
      const reason = `well-known attribute of unknown type ${code}`;
      return updateError(subcode, this.#body.slice(at, to), reason);
    }
    if ((flags & AttributeFlag.Transitive) !== 0) {
      this.attributes.take(code, from, to);
      this.attributes.keep(code, OPTIONAL_AND_TRANSITIVE | AttributeFlag.Partial);
    }
    return undefined;
  }

  #multiprotocol(
    row: AttributeRow,
    at: number,
    to: number,
    from: number,
  ): NotificationFault | undefined {
    const field = { bytes: this.#body, from, to };
    const reaches = row.code === AttributeCode.MpReach;
    const section = (reaches ? this.announced : this.withdrawn)[1];
    const outcome = (reaches ? splitMpReach : splitMpUnreach)(field, this.#context, section);
    if (outcome === 'malformed') {
      const subcode = UpdateSubcode.OptionalAttributeError;
      return updateError(subcode, this.#body.slice(at, to), `${row.name} is malformed`);
    }
    if (outcome === 'unusable') this.withdrawReason ??= 'next hop of a family not negotiated';
    const isEmpty = section.from === section.to;
    if (outcome === 'well-formed' && !reaches && isEmpty && this.#isAlone(at, to)) {
      this.endOfRib = section.family;
    }
    return undefined;
  }

  /** Whether the message holds nothing but the attribute from `at` to `to`. */
  #isAlone(at: number, to: number): boolean {
    return at === IPV4_END_OF_RIB_OCTETS && to === this.#body.length;
  }

  /** What can only be said once everything was seen. */
  #conclude(hasAttributes: boolean, hasNlri: boolean): NotificationFault | undefined {
    if (!hasNlri && this.announced[1].from === this.announced[1].to) {
      // Nobody knows what a broken message without NLRI was to withdraw. RFC 7606 section 5.2.
      if (hasAttributes && this.withdrawReason) return malformedList(this.withdrawReason);
      return undefined;
    }
    const missing = this.#missing(hasNlri);
    if (missing) this.withdrawReason ??= `no ${missing}`;
    if (!this.withdrawReason) this.attributes.finish(this.#context.fourOctetAs);
    return undefined;
  }

  /** Name of a mandatory attribute that is not there: treat-as-withdraw. RFC 7606 section 3d. */
  #missing(hasNlri: boolean): string | undefined {
    if (!this.attributes.has(AttributeCode.Origin)) return 'ORIGIN';
    if (!this.attributes.has(AttributeCode.AsPath)) return 'AS_PATH';
    return hasNlri && !this.attributes.has(AttributeCode.NextHop) ? 'NEXT_HOP' : undefined;
  }
}

function clear(section: NlriSection): void {
  section.from = 0;
  section.to = 0;
}

/** The Partial bit means something on optional transitive attributes only. */
function partialIn(row: AttributeRow): number {
  return row.flags === OPTIONAL_AND_TRANSITIVE ? AttributeFlag.Partial : 0;
}

function readU16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

function updateError(subcode: number, data: Uint8Array, reason: string): NotificationFault {
  return new BgpError({ code: ErrorCode.UpdateMessage, subcode, data }, reason);
}

function malformedList(reason: string): NotificationFault {
  return updateError(UpdateSubcode.MalformedAttributeList, new Uint8Array(0), reason);
}

function invalidNetwork(where: string): NotificationFault {
  return updateError(
    UpdateSubcode.InvalidNetworkField,
    new Uint8Array(0),
    `a malformed prefix in ${where}`,
  );
}
