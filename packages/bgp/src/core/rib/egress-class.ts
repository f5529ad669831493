import { ADDRESS_OCTETS, addressBytes, type Family, type IpAddress } from '@overland/net';
import type { AddPathSelection, NextHopMode, SpeakerConfig } from '../config.ts';
import { applyEdits } from '../policy/apply-edits.ts';
import type { AttributeEdits } from '../policy/attribute-edits.ts';
import type { CompiledPolicy } from '../policy/compiled-policy.ts';
import { editsOf, NO_EDITS } from '../policy/compose-edits.ts';
import { EditsAfter } from '../policy/edits-after.ts';
import {
  AttributeEncoder,
  type EncodedAttributes,
  type RouteFacts,
} from '../wire/attribute-encoder.ts';
import { PATH_ID_OCTETS } from '../wire/nlri.ts';
import { originatedSet } from '../wire/originated-set.ts';
import type { PrivateAsRule } from '../wire/private-as.ts';
import { type BgpRole, keepsMarked, marksOnEgress } from '../wire/role.ts';
import { MAX_FRAME_OCTETS, MAX_NLRI_OCTETS } from '../wire/update-writer.ts';
import { type AttributeTable, MAX_ATTRIBUTE_OCTETS } from './attribute-table.ts';
import { ExportPolicy } from './export-policy.ts';
import { MessageLog } from './message-log.ts';
import { DEFAULT_LOCAL_PREF, GroupFlag, type PathGroups } from './path-groups.ts';
import type { RibTables } from './rib-tables.ts';
import type { SharedTables } from './shared-tables.ts';

/**
 * Everything that can alter what a peer is sent, the next hop's value aside. Peers with equal records share
 * one class. A new knob goes in here, or routes leak between peers.
 */
export interface EgressKey {
  readonly family: Family;
  readonly role: SpeakerConfig['role'];
  readonly ebgp: boolean;
  readonly localAsn: number;
  /** AS number of the peer, to be replaced by ours (as-override); 0: keep. */
  readonly overrideAsn: number;
  readonly privateAs: PrivateAsRule | undefined;
  readonly nextHop: NextHopMode;
  /** Next hops of IPv4 prefixes may be IPv6 addresses, and are in MP_REACH_NLRI. RFC 8950. */
  readonly extendedNextHop: boolean;
  /** The peers are clients of this route reflector. */
  readonly isClient: boolean;
  /** Clients hear of each other. */
  readonly clientToClient: boolean;
  /** Of this route reflector; 0 towards eBGP peers. */
  readonly clusterId: number;
  /** Our role towards the peers; `undefined`: none, or iBGP. RFC 9234. */
  readonly bgpRole: BgpRole | undefined;
  readonly fourOctetAs: boolean;
  readonly maxMessageOctets: number;
  /** The peers know what LLGR_STALE means. RFC 9494. */
  readonly takesLongLivedStale: boolean;
  /** Whether the peers are to make our routes their last choice. RFC 8326. */
  readonly gracefulShutdown: boolean;
  /** Which paths of a prefix are sent, with path identifiers (RFC 7911); `undefined`: the best one, without. */
  readonly addPath: AddPathSelection | undefined;
  /** Id of the export filters; empty: none. */
  readonly exportPolicy: string;
}

/** Why a class of peers is not sent a route. */
export type ExportRefusal =
  /** NO_ADVERTISE; NO_EXPORT or NO_EXPORT_SUBCONFED towards an eBGP peer. RFC 1997. */
  | 'no-advertise'
  | 'no-export'
  /** It has OTC, and the peers are providers, peers or route servers. RFC 9234 section 5. */
  | 'only-to-customer'
  /** It is LLGR_STALE, and the peers do not know what that is. RFC 9494 section 4.3. */
  | 'long-lived-stale'
  /** It lies inside an aggregate of ours that is offered instead. */
  | 'summarised'
  /** From one iBGP peer to another, and neither is a client. RFC 4456 section 6. */
  | 'not-reflected'
  /** A rule of an export filter. */
  | 'filter'
  | 'attributes-too-long'
  /** A host offers what is its own. */
  | 'host-role'
  /** A reflector offers eBGP peers its own prefixes and those of its clients. */
  | 'reflector-role';

/** What makes a route that is LLGR_STALE harmless to iBGP peers that do not know it. RFC 9494 section 4.6. */
const LONG_LIVED_FALLBACK = editsOf({ communities: { add: ['no-export'] }, localPref: 0 });

/** Octets that headers of MED, LOCAL_PREF (with their values), communities and a longer AS_PATH add at most. */
const MAX_NEW_HEADERS_OCTETS = 7 + 7 + 4 + 4 + 4 + 1;

/**
 * Octets that NEXT_HOP, LOCAL_PREF, OTC, a prepended AS number (with the header of a new segment), ORIGINATOR_ID and an
 * own CLUSTER_LIST add at most.
 */
const MAX_GROWTH_OCTETS = 7 + 7 + 7 + 7 + 16 + 7 + 8;

/** The export policy that a class of peers shares. */
export class EgressClass {
  readonly key: EgressKey;
  readonly policy: ExportPolicy | undefined;
  /** Messages that were packed for one of the peers. */
  readonly messages = new MessageLog();
  readonly #tables: RibTables;
  readonly #groups: PathGroups;
  readonly #attributes: AttributeTable;
  readonly #encoder: AttributeEncoder;
  /** For people, who are shown AS numbers of four octets whatever the peers can read. */
  readonly #wideEncoder: AttributeEncoder;
  readonly #maxOctets: number;
  /** Next hops that filters set, as they are sent. */
  readonly #setNextHops = new Map<IpAddress, Uint8Array>();
  /** What has OTC is not for these peers. */
  readonly #keepsMarked: boolean;
  readonly #edited: Uint8Array;
  readonly #fallback = new EditsAfter(LONG_LIVED_FALLBACK);

  /** @param filters Those of `key.exportPolicy`. */
  constructor(
    key: EgressKey,
    filters: CompiledPolicy | undefined,
    tables: RibTables,
    shared: SharedTables,
  ) {
    this.key = key;
    this.policy = filters && new ExportPolicy(filters, key.ebgp, tables);
    this.#tables = tables;
    this.#groups = tables.groups;
    this.#edited = shared.edited;
    this.#attributes = shared.attributes;
    const message = Math.min(key.maxMessageOctets, MAX_ATTRIBUTE_OCTETS);
    const nlriOctets = MAX_NLRI_OCTETS + (key.addPath === undefined ? 0 : PATH_ID_OCTETS);
    const room = message - MAX_FRAME_OCTETS - nlriOctets - MAX_GROWTH_OCTETS;
    // A two-octet peer gets the AS_PATH twice: half of it, and whole as AS4_PATH.
    this.#maxOctets = key.fourOctetAs ? room : Math.floor(room / 1.5);
    const otcAsn = key.bgpRole && marksOnEgress(key.bgpRole) ? key.localAsn : 0;
    this.#keepsMarked = key.bgpRole !== undefined && keepsMarked(key.bgpRole);
    const rules = { ...key, otcAsn, hasNextHop: key.family === 'ipv4' && !key.extendedNextHop };
    this.#encoder = new AttributeEncoder(rules, shared.scratch);
    this.#wideEncoder = key.fourOctetAs
      ? this.#encoder
      : new AttributeEncoder({ ...rules, fourOctetAs: true }, shared.scratch);
  }

  /** Whether prefixes of a group may be treated differently. */
  splits(group: number): boolean {
    return this.#tables.summaries !== undefined || (this.policy?.splits(group) ?? false);
  }

  /** Why a prefix of a group may not be sent to peers of the class; `undefined`: it may. Makes no object. */
  refusalOf(group: number, prefix: number): ExportRefusal | undefined {
    const barred = this.#barred(group);
    if (barred !== undefined) return barred;
    if (this.#tables.summaries?.suppresses(prefix)) return 'summarised';
    const verdict = this.policy?.verdict(group, prefix);
    const edits = this.#finalEdits(group, verdict?.edits);
    if (verdict && !verdict.accepted) return 'filter';
    if (!this.#fits(group, edits)) return 'attributes-too-long';
    return verdict && !verdict.isDefault ? undefined : this.#notOffered(group);
  }

  /** What no filter can allow. */
  #barred(group: number): ExportRefusal | undefined {
    const flags = this.#groups.flags(group);
    if ((flags & GroupFlag.NoAdvertise) !== 0) return 'no-advertise';
    if ((flags & GroupFlag.OnlyToCustomer) !== 0 && this.#keepsMarked) return 'only-to-customer';
    if ((flags & GroupFlag.NoExport) !== 0 && this.key.ebgp) return 'no-export';
    if (this.#needsFallback(group) && this.key.ebgp) return 'long-lived-stale';
    if ((flags & GroupFlag.Originated) !== 0) return undefined;
    // iBGP speakers are fully meshed (RFC 4271 section 9.2), but for clients: RFC 4456 section 6.
    if (this.key.ebgp || (flags & GroupFlag.Ebgp) !== 0) return undefined;
    const { isClient, clientToClient } = this.key;
    const fromClient = this.#isFromClient(group);
    const isReflected = isClient ? !fromClient || clientToClient : fromClient;
    return isReflected ? undefined : 'not-reflected';
  }

  /** What the built-in policy has against it, where no filter decides. */
  #notOffered(group: number): ExportRefusal | undefined {
    const { role, ebgp } = this.key;
    if (role === 'router' || this.#groups.has(group, GroupFlag.Originated)) return undefined;
    // A host offers what is its own (architecture.md, invariant 7).
    if (role === 'host') return 'host-role';
    // A reflector is no transit between other networks.
    return !ebgp || this.#isFromClient(group) ? undefined : 'reflector-role';
  }

  /** What may outgrow a message on its way out is not sent at all, and a peer that has it gets a withdrawal. */
  #fits(group: number, edits: AttributeEdits | undefined): boolean {
    const octets = this.#attributes.length(this.#groups.attribute(group));
    return octets + (edits ? growthOf(edits) : 0) <= this.#maxOctets;
  }

  /** Whether the next hop sent with routes of a group is our own address, third parties aside. */
  sendsOwnNextHop(group: number): boolean {
    if (this.#groups.has(group, GroupFlag.Originated)) return true;
    const { nextHop, ebgp } = this.key;
    switch (nextHop) {
      case 'keep':
        return false;
      case 'auto':
        return ebgp;
      case 'self':
        // Reflection does not pull traffic to the reflector (RFC 4456 section 10) unless one insists.
        return ebgp || this.#groups.has(group, GroupFlag.Ebgp);
      case 'force':
        return true;
    }
  }

  /** Whether peers of the class understand a next hop of 4 or 16 octets. */
  takesNextHop(octets: Uint8Array): boolean {
    return octets.length === ADDRESS_OCTETS[this.key.family] || this.key.extendedNextHop;
  }

  /** Whether the next hop of a group may be that of a third party, where the peer reaches it without us. */
  allowsThirdParty(group: number): boolean {
    const { ebgp, nextHop } = this.key;
    return ebgp && nextHop === 'auto' && !this.#groups.has(group, GroupFlag.Originated);
  }

  /** Whether a prefix looks the same to peers of the class with the routes of two groups. */
  looksEqual(a: number, b: number, prefix: number): boolean {
    const groups = this.#groups;
    if (groups.attribute(a) !== groups.attribute(b)) return false;
    if (this.#originatorId(a) !== this.#originatorId(b)) return false;
    if (this.editsOf(a, prefix) !== this.editsOf(b, prefix)) return false;
    if (this.setNextHop(a, prefix) !== undefined) return true;
    const mine = this.sendsOwnNextHop(a);
    if (mine !== this.sendsOwnNextHop(b)) return false;
    return mine || groups.nextHop(a) === groups.nextHop(b);
  }

  /** The next hop that filters give a prefix of a group, 4 or 16 octets; `self`: our own; `undefined`: they do not say. */
  setNextHop(group: number, prefix: number): Uint8Array | 'self' | undefined {
    if (!this.policy?.setsNextHop) return undefined;
    const address = this.policy.verdict(group, prefix).edits?.nextHop;
    if (address === undefined) return undefined;
    if (address === 'self') return 'self';
    const octets = this.#setNextHops.get(address) ?? addressBytes(address);
    this.#setNextHops.set(address, octets);
    return octets;
  }

  /** What the filters change of a prefix of a group on its way out; equal edits are one object. */
  editsOf(group: number, prefix: number): AttributeEdits | undefined {
    return this.#finalEdits(group, this.policy?.verdict(group, prefix).edits);
  }

  #finalEdits(group: number, edits: AttributeEdits | undefined): AttributeEdits | undefined {
    return this.#needsFallback(group) ? this.#fallback.after(edits) : edits;
  }

  /** Peers that do not know LLGR_STALE may prefer what has it. */
  #needsFallback(group: number): boolean {
    return !this.key.takesLongLivedStale && this.#groups.has(group, GroupFlag.LongLivedStale);
  }

  /** The attributes of a group as peers of the class get them, with room for the next hop. */
  encode(group: number, edits: AttributeEdits | undefined): EncodedAttributes {
    return this.#encode(this.#encoder, group, edits);
  }

  /** The same for people, with AS numbers of four octets. */
  encodeWide(group: number, edits: AttributeEdits | undefined): EncodedAttributes {
    return this.#encode(this.#wideEncoder, group, edits);
  }

  #encode(
    encoder: AttributeEncoder,
    group: number,
    edits: AttributeEdits | undefined,
  ): EncodedAttributes {
    const attributes = this.#attributes;
    const id = this.#groups.attribute(group);
    const set = { offset: attributes.offset(id), length: attributes.length(id) };
    const facts = {
      localPref: this.#groups.localPref(group),
      originatorId: this.#originatorId(group),
    };
    if (!edits) encoder.encode(attributes.bytes(id), set, facts);
    else {
      const length = applyEdits(attributes.bytes(id), set, edits, this.#edited);
      encoder.encode(this.#edited, { offset: 0, length }, editedFacts(facts, edits));
    }
    return encoder;
  }

  /** The attributes of a route that peers of the class get and the Loc-RIB does not have. */
  encodeOriginated(): EncodedAttributes {
    const set = originatedSet();
    const whole = { offset: 0, length: set.length };
    const facts = { localPref: DEFAULT_LOCAL_PREF, originatorId: 0 };
    const last = this.policy?.last ?? NO_EDITS;
    if (last === NO_EDITS) this.#encoder.encode(set, whole, facts);
    else {
      const length = applyEdits(set, whole, last, this.#edited);
      const edited = editedFacts(facts, last);
      this.#encoder.encode(this.#edited, { offset: 0, length }, edited);
    }
    return this.#encoder;
  }

  #isFromClient(group: number): boolean {
    const isExternal = this.#groups.has(group, GroupFlag.Ebgp);
    return !isExternal && this.#tables.isClient(this.#groups.peer(group));
  }

  /** What ORIGINATOR_ID says of routes of a group; 0 if they are not reflected. RFC 4456 section 8. */
  #originatorId(group: number): number {
    const isReflected =
      !this.key.ebgp && !this.#groups.has(group, GroupFlag.Originated | GroupFlag.Ebgp);
    return isReflected ? this.#groups.routerId(group) : 0;
  }
}

function editedFacts(facts: RouteFacts, { localPref, med }: AttributeEdits): RouteFacts {
  const { originatorId } = facts;
  return {
    localPref: localPref ?? facts.localPref,
    originatorId,
    keepsMed: typeof med === 'number',
  };
}

/** Octets that edits add to a set at most; a large community takes twelve. */
function growthOf({ prepend, added, linkBandwidth }: AttributeEdits): number {
  const path =
    prepend.length === 0 ? 0 : 4 * prepend.length + 2 + 2 * Math.ceil(prepend.length / 255);
  const bandwidth = typeof linkBandwidth === 'object' ? 8 : 0;
  return path + 12 * added.length + bandwidth + MAX_NEW_HEADERS_OCTETS;
}
