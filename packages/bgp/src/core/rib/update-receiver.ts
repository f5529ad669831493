import type { Family } from '@overland/net';
import type { NlriSection } from '../wire/mp-attributes.ts';
import { NlriReader } from '../wire/nlri.ts';
import type { AdjRibIn } from './adj-rib-in.ts';
import { MAX_ATTRIBUTE_OCTETS } from './attribute-table.ts';
import type { FamilyRib } from './family-rib.ts';
import type { Links } from './links.ts';
import { isMartian } from './martian.ts';
import { GroupFlag } from './path-groups.ts';
import type { LiveSession, Peer } from './peer.ts';
import type { NotificationFault } from './route-engine.ts';
import type { SharedTables } from './shared-tables.ts';

/** Puts received UPDATEs into the Adj-RIBs-In. */
export class UpdateReceiver {
  links: Links;
  readonly #shared: SharedTables;
  readonly #ribs: Readonly<Record<Family, FamilyRib>>;
  readonly #reader = new NlriReader();

  constructor(shared: SharedTables, ribs: Readonly<Record<Family, FamilyRib>>, links: Links) {
    this.#shared = shared;
    this.#ribs = ribs;
    this.links = links;
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
    const isRefused =
      decoder.withdrawReason !== undefined || attributes.length > MAX_ATTRIBUTE_OCTETS;
    if (isRefused) peer.refuse('treat-as-withdraw');
    for (const section of decoder.announced) {
      if (isRefused) this.#withdraw(peer, body, section);
      else this.#announce(peer, live, body, section);
    }
    if (decoder.endOfRib && live.context.families.includes(decoder.endOfRib)) {
      peer.endOfRib.add(decoder.endOfRib);
      this.#ribs[decoder.endOfRib].adjRibIn(peer.slot).flushStale();
    }
    return undefined;
  }

  #withdraw(peer: Peer, body: Uint8Array, { family, from, to }: NlriSection): void {
    const reader = this.#reader;
    const { tables } = this.#ribs[family];
    const adjRibIn = this.#ribs[family].adjRibIn(peer.slot);
    reader.start(body, from, to);
    while (reader.next()) {
      const prefix = tables.prefixes.find(reader.words, reader.length);
      if (prefix !== 0) adjRibIn.withdraw(prefix);
    }
  }

  #announce(peer: Peer, live: LiveSession, body: Uint8Array, section: NlriSection): void {
    const { family, from, to } = section;
    if (!live.context.families.includes(family)) return;
    const { tables } = this.#ribs[family];
    const adjRibIn = this.#ribs[family].adjRibIn(peer.slot);
    const group = this.#group(adjRibIn, live, body, section);
    const reader = this.#reader;
    let [announced, martians] = [0, 0];
    reader.start(body, from, to);
    while (reader.next()) {
      if (isMartian(family, reader.words, reader.length)) martians += 1;
      else {
        adjRibIn.put(tables.prefixes.intern(reader.words, reader.length), group);
        announced += 1;
      }
    }
    if (martians > 0) peer.refuse('martian', martians);
    if (tables.groups.has(group, GroupFlag.Refused)) peer.refuse('as-path-loop', announced);
    tables.dropIfEmpty(group);
  }

  #group(adjRibIn: AdjRibIn, live: LiveSession, body: Uint8Array, section: NlriSection): number {
    const { attributes: set } = this.#shared.decoder;
    const { nextHops } = this.#ribs[section.family].tables;
    const { nextHopFrom, nextHopOctets } = section;
    const octets = body.subarray(nextHopFrom, nextHopFrom + nextHopOctets);
    const { localAddress } = live.session;
    const nextHop = nextHops.isSame(adjRibIn.lastNextHop, octets, localAddress)
      ? adjRibIn.lastNextHop
      : nextHops.intern(octets, localAddress, this.links);
    adjRibIn.lastNextHop = nextHop;
    const attribute = this.#shared.attributes.intern(set.octets, set.length);
    return adjRibIn.group(attribute, nextHop, live.origin);
  }
}
