import type { Family } from '@overland/net';
import type { NlriSection } from '../wire/mp-attributes.ts';
import type { NlriList } from '../wire/nlri.ts';
import { receiveOnlyToCustomer } from '../wire/only-to-customer.ts';
import type { AdjRibIn } from './adj-rib-in.ts';
import { MAX_ATTRIBUTE_OCTETS } from './attribute-table.ts';
import type { FamilyRib } from './family-rib.ts';
import type { Links } from './links.ts';
import { removeMartians } from './martian.ts';
import { GroupFlag } from './path-groups.ts';
import type { LiveSession, Peer } from './peer.ts';
import type { NotificationFault } from './route-engine.ts';
import type { SharedTables } from './shared-tables.ts';

/** Puts received UPDATEs into the Adj-RIBs-In. */
export class UpdateReceiver {
  links: Links;
  readonly #shared: SharedTables;
  readonly #ribs: Readonly<Record<Family, FamilyRib>>;
  readonly #list: NlriList;
  readonly #ids: Int32Array;

  constructor(shared: SharedTables, ribs: Readonly<Record<Family, FamilyRib>>, links: Links) {
    this.#shared = shared;
    this.#ribs = ribs;
    this.links = links;
    this.#list = shared.nlri;
    this.#ids = shared.prefixIds;
  }

  /** @returns The fault that ends the session. */
  receive(peer: Peer, live: LiveSession, body: Uint8Array): NotificationFault | undefined {
    const { decoder } = this.#shared;
    peer.updatesReceived += 1;
    const fault = decoder.decode(body, live.context);
    if (fault) return fault;
    if (decoder.discarded.length > 0) peer.refuse('attribute-discard', decoder.discarded.length);
    for (const section of decoder.withdrawn) this.#withdraw(peer, body, section);
    const { attributes } = decoder;
    const isLeak = this.#isLeak(live);
    const isBroken =
      decoder.withdrawReason !== undefined || attributes.length > MAX_ATTRIBUTE_OCTETS;
    const refusal = isBroken
      ? 'treat-as-withdraw'
      : (decoder.asPathRefusal ?? (isLeak ? 'route-leak' : undefined));
    if (refusal) peer.refuse(refusal);
    for (const section of decoder.announced) {
      if (section.from === section.to) continue;
      if (refusal) this.#withdraw(peer, body, section);
      else this.#announce(peer, live, body, section);
    }
    if (decoder.endOfRib && live.context.families.includes(decoder.endOfRib)) {
      peer.endOfRib.add(decoder.endOfRib);
      this.#ribs[decoder.endOfRib].adjRibIn(peer.slot).flushStale();
    }
    return undefined;
  }

  /** Whether the role of the peer says that the routes may not be here; otherwise they are marked. RFC 9234 section 5. */
  #isLeak({ bgpRole, session }: LiveSession): boolean {
    const { attributes, announced, withdrawReason } = this.#shared.decoder;
    if (bgpRole === undefined || withdrawReason !== undefined) return false;
    if (announced.every(({ from, to }) => from === to)) return false;
    return receiveOnlyToCustomer(attributes, bgpRole, session.config.asn);
  }

  #withdraw(peer: Peer, body: Uint8Array, { family, from, to }: NlriSection): void {
    if (from === to) return;
    const list = this.#list;
    list.read(family, body, from, to);
    this.#ribs[family].tables.prefixes.findAll(list, this.#ids);
    this.#ribs[family].adjRibIn(peer.slot).withdraw(this.#ids, list.count);
  }

  #announce(peer: Peer, live: LiveSession, body: Uint8Array, section: NlriSection): void {
    const { family, from, to } = section;
    if (!live.context.families.includes(family)) return;
    const { tables } = this.#ribs[family];
    const adjRibIn = this.#ribs[family].adjRibIn(peer.slot);
    const list = this.#list;
    list.read(family, body, from, to);
    const received = list.count;
    removeMartians(family, list);
    if (list.count < received) peer.refuse('martian', received - list.count);
    tables.prefixes.internAll(list, this.#ids);
    const group = this.#group(adjRibIn, live, body, section);
    adjRibIn.announce(this.#ids, list.count, group);
    if (tables.groups.has(group, GroupFlag.Refused)) {
      peer.refuse(tables.refusalReason(group), list.count);
    }
    tables.dropIfEmpty(group);
  }

  #group(adjRibIn: AdjRibIn, live: LiveSession, body: Uint8Array, section: NlriSection): number {
    const { attributes: set } = this.#shared.decoder;
    const { nextHops } = this.#ribs[section.family].tables;
    const { nextHopFrom, nextHopOctets } = section;
    const { localAddress } = live.session;
    const field = { bytes: body, from: nextHopFrom, to: nextHopFrom + nextHopOctets };
    const nextHop = nextHops.isSame(adjRibIn.lastNextHop, field, localAddress)
      ? adjRibIn.lastNextHop
      : nextHops.intern(body.slice(field.from, field.to), localAddress, this.links);
    adjRibIn.lastNextHop = nextHop;
    const attribute = this.#shared.attributes.intern(set.octets, set.length);
    return adjRibIn.group(attribute, nextHop, live.origin);
  }
}
