import type { Family } from '@overland/net';
import { type NlriSection, pathIdOctets } from '../wire/mp-attributes.ts';
import type { NlriList } from '../wire/nlri.ts';
import { receiveOnlyToCustomer } from '../wire/only-to-customer.ts';
import type { AdjRibIn } from './adj-rib-in.ts';
import { MAX_ATTRIBUTE_OCTETS } from './attribute-table.ts';
import type { FamilyRib } from './family-rib.ts';
import type { PrefixJudgement } from './import-policy.ts';
import type { Links } from './links.ts';
import { removeMartians } from './martian.ts';
import type { LiveSession, Peer } from './peer.ts';
import type { NotificationFault } from './route-engine.ts';
import type { ReceiveMemory, SharedTables } from './shared-tables.ts';

/** The first `count` of some prefixes. */
interface Part {
  readonly ids: Int32Array;
  readonly count: number;
  /** Path identifiers, if the session has them. RFC 7911. */
  readonly identifiers: Int32Array | undefined;
}

/** Puts received UPDATEs into the Adj-RIBs-In. */
export class UpdateReceiver {
  links: Links;
  readonly #shared: Pick<SharedTables, 'attributes'>;
  readonly #memory: ReceiveMemory;
  readonly #ribs: Readonly<Record<Family, FamilyRib>>;
  readonly #list: NlriList;
  readonly #ids: Int32Array;
  /** Of them, those that the import policy treats alike. */
  readonly #part: Int32Array;

  /** @param memory For messages of the largest size that it is given. */
  constructor(
    shared: SharedTables,
    ribs: Readonly<Record<Family, FamilyRib>>,
    links: Links,
    memory: ReceiveMemory = shared,
  ) {
    this.#shared = shared;
    this.#memory = memory;
    this.#ribs = ribs;
    this.links = links;
    this.#list = memory.nlri;
    this.#ids = memory.prefixIds;
    this.#part = memory.prefixPart;
  }

  /** @returns The fault that ends the session. */
  receive(peer: Peer, live: LiveSession, body: Uint8Array): NotificationFault | undefined {
    const { decoder } = this.#memory;
    peer.updatesReceived += 1;
    const fault = decoder.decode(body, live.context);
    if (fault) return fault;
    if (decoder.discarded.length > 0) peer.refuse('attribute-discard', decoder.discarded.length);
    for (const section of decoder.withdrawn) this.#withdraw(peer, live, body, section);
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
      if (refusal) this.#withdraw(peer, live, body, section);
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
    const { attributes, announced, withdrawReason } = this.#memory.decoder;
    if (bgpRole === undefined || withdrawReason !== undefined) return false;
    if (announced.every(({ from, to }) => from === to)) return false;
    return receiveOnlyToCustomer(attributes, bgpRole, session.peerAsn);
  }

  #withdraw(peer: Peer, live: LiveSession, body: Uint8Array, section: NlriSection): void {
    const { family, from, to } = section;
    if (from === to) return;
    const list = this.#list;
    const identifiers = this.#read(live, body, section);
    this.#ribs[family].tables.prefixes.findAll(list, this.#ids);
    this.#ribs[family].adjRibIn(peer.slot).withdraw(this.#ids, list.count, identifiers);
  }

  /** Reads prefixes into the list. @returns Their path identifiers, if the session has them. */
  #read(
    { context }: LiveSession,
    body: Uint8Array,
    { family, from, to }: NlriSection,
  ): Int32Array | undefined {
    const list = this.#list;
    if (pathIdOctets(family, context.addPath) === 0) {
      list.read(family, body, from, to);
      return undefined;
    }
    list.readIdentified(family, body, from, to);
    return list.pathIds;
  }

  #announce(peer: Peer, live: LiveSession, body: Uint8Array, section: NlriSection): void {
    const { family } = section;
    if (!live.context.families.includes(family)) return;
    const { tables } = this.#ribs[family];
    const adjRibIn = this.#ribs[family].adjRibIn(peer.slot);
    const list = this.#list;
    const identifiers = this.#read(live, body, section);
    const received = list.count;
    removeMartians(family, list);
    if (list.count < received) peer.refuse('martian', received - list.count);
    if (list.count === 0) return;
    tables.prefixes.internAll(list, this.#ids);
    const attribute = this.#attribute();
    const nextHop = this.#nextHop(adjRibIn, live, body, section);
    const { policy } = adjRibIn;
    const judgement = policy && adjRibIn.judge(policy, attribute, nextHop, live.ebgp);
    if (typeof judgement === 'object') {
      this.#announceParts(peer, live, { family, attribute, nextHop, identifiers }, judgement);
    } else {
      const group = adjRibIn.group(attribute, nextHop, live.origin, judgement);
      this.#announceAs(peer, family, group, { ids: this.#ids, count: list.count, identifiers });
    }
  }

  /** Puts each prefix of the list into the group that the policy wants it in. */
  #announceParts(
    peer: Peer,
    live: LiveSession,
    route: {
      family: Family;
      attribute: number;
      nextHop: number;
      identifiers?: Int32Array | undefined;
    },
    judgement: PrefixJudgement,
  ): void {
    const { lengths, words, wordsEach } = this.#list;
    const treatments = this.#memory.prefixTreatments;
    let left = this.#list.count;
    for (let i = 0; i < left; i += 1) {
      treatments[i] = judgement.treatment(words, i * wordsEach, lengths[i] ?? 0);
    }
    const { attribute, nextHop, family } = route;
    const adjRibIn = this.#ribs[family].adjRibIn(peer.slot);
    while (left > 0) {
      const treatment = treatments[0] ?? 0;
      const count = this.#takePart(treatment, left);
      left -= count;
      this.#shared.attributes.retain(attribute);
      const group = adjRibIn.group(attribute, nextHop, live.origin, treatment);
      const identifiers = route.identifiers && this.#memory.partPathIds;
      this.#announceAs(peer, family, group, { ids: this.#part, count, identifiers });
    }
    this.#shared.attributes.release(attribute);
  }

  /** Moves those of the first `count` prefixes that are treated so into the part. @returns How many these are. */
  #takePart(treatment: number, count: number): number {
    const [ids, treatments] = [this.#ids, this.#memory.prefixTreatments];
    const { pathIds } = this.#list;
    let [taken, kept] = [0, 0];
    for (let i = 0; i < count; i += 1) {
      if (treatments[i] === treatment) {
        this.#part[taken] = ids[i] ?? 0;
        this.#memory.partPathIds[taken] = pathIds[i] ?? 0;
        taken += 1;
        continue;
      }
      ids[kept] = ids[i] ?? 0;
      pathIds[kept] = pathIds[i] ?? 0;
      treatments[kept] = treatments[i] ?? 0;
      kept += 1;
    }
    return taken;
  }

  #announceAs(peer: Peer, family: Family, group: number, part: Part): void {
    const { tables } = this.#ribs[family];
    const { ids, count, identifiers } = part;
    this.#ribs[family].adjRibIn(peer.slot).announce(ids, count, group, identifiers);
    const refusal = tables.refusalOf(group);
    if (refusal) peer.refuse(refusal.reason, count, refusal.rule);
    tables.dropIfEmpty(group);
  }

  #attribute(): number {
    const { attributes: set } = this.#memory.decoder;
    return this.#shared.attributes.intern(set.octets, set.length);
  }

  #nextHop(adjRibIn: AdjRibIn, live: LiveSession, body: Uint8Array, section: NlriSection): number {
    const { nextHops } = this.#ribs[section.family].tables;
    const { nextHopFrom, nextHopOctets } = section;
    const field = { bytes: body, from: nextHopFrom, to: nextHopFrom + nextHopOctets };
    const nextHop = nextHops.isSame(adjRibIn.lastNextHop, field, live.session)
      ? adjRibIn.lastNextHop
      : nextHops.intern(body.slice(field.from, field.to), live.session, this.links);
    adjRibIn.lastNextHop = nextHop;
    return nextHop;
  }
}
