import type { Family } from '@overland/net';
import { AttributeEncoder, type EncodedAttributes } from '../wire/attribute-encoder.ts';
import { MAX_FRAME_OCTETS, MAX_NLRI_OCTETS } from '../wire/update-writer.ts';
import type { AttributeTable } from './attribute-table.ts';
import { GroupFlag, type PathGroups } from './path-groups.ts';
import type { SharedTables } from './shared-tables.ts';

/**
 * Everything that can alter what a peer is sent, the next hop's value aside. Peers with equal records share
 * one class. A new knob goes in here, or routes leak between peers.
 */
export interface EgressKey {
  readonly family: Family;
  readonly role: 'host' | 'router';
  readonly ebgp: boolean;
  readonly localAsn: number;
  /** AS number of the peer, to be replaced by ours (as-override); 0: keep. */
  readonly overrideAsn: number;
  readonly nextHop: 'auto' | 'self' | 'keep';
  readonly fourOctetAs: boolean;
  readonly maxMessageOctets: number;
}

/** Octets that NEXT_HOP, LOCAL_PREF and a prepended AS number (with the header of a new segment) add at most. */
const MAX_GROWTH_OCTETS = 7 + 7 + 7 + 16;

/** The export policy that a class of peers shares. */
export class EgressClass {
  readonly key: EgressKey;
  readonly #groups: PathGroups;
  readonly #attributes: AttributeTable;
  readonly #encoder: AttributeEncoder;
  readonly #maxOctets: number;

  constructor(key: EgressKey, groups: PathGroups, shared: SharedTables) {
    this.key = key;
    this.#groups = groups;
    this.#attributes = shared.attributes;
    const room = key.maxMessageOctets - MAX_FRAME_OCTETS - MAX_NLRI_OCTETS - MAX_GROWTH_OCTETS;
    // A two-octet peer gets the AS_PATH twice: half of it, and whole as AS4_PATH.
    this.#maxOctets = key.fourOctetAs ? room : Math.floor(room / 1.5);
    const rules = { ...key, hasNextHop: key.family === 'ipv4' };
    this.#encoder = new AttributeEncoder(rules, shared.scratch);
  }

  /** Whether routes of a group may be sent to peers of the class. */
  exports(group: number): boolean {
    const flags = this.#groups.flags(group);
    // What may outgrow a message on its way out is not sent at all, and a peer that has it gets a withdrawal.
    if (this.#attributes.length(this.#groups.attribute(group)) > this.#maxOctets) return false;
    if ((flags & GroupFlag.NoAdvertise) !== 0) return false;
    if ((flags & GroupFlag.NoExport) !== 0 && this.key.ebgp) return false;
    if ((flags & GroupFlag.Originated) !== 0) return true;
    // A host offers what is its own (architecture.md, invariant 7).
    if (this.key.role === 'host') return false;
    // iBGP speakers are fully meshed: RFC 4271 section 9.2.
    return this.key.ebgp || (flags & GroupFlag.Ebgp) !== 0;
  }

  /** Whether the next hop sent with routes of a group is our own address. */
  sendsOwnNextHop(group: number): boolean {
    if (this.#groups.has(group, GroupFlag.Originated)) return true;
    const { nextHop, ebgp } = this.key;
    return nextHop === 'self' || (nextHop === 'auto' && ebgp);
  }

  /** Whether routes of two groups look the same to peers of the class. */
  looksEqual(a: number, b: number): boolean {
    const groups = this.#groups;
    if (groups.attribute(a) !== groups.attribute(b)) return false;
    const mine = this.sendsOwnNextHop(a);
    if (mine !== this.sendsOwnNextHop(b)) return false;
    return mine || groups.nextHop(a) === groups.nextHop(b);
  }

  /** The attributes of a group as peers of the class get them, with room for the next hop. */
  encode(group: number): EncodedAttributes {
    const attributes = this.#attributes;
    const id = this.#groups.attribute(group);
    const set = { offset: attributes.offset(id), length: attributes.length(id) };
    this.#encoder.encode(attributes.bytes(id), set, this.#groups.localPref(group));
    return this.#encoder;
  }
}
