import { ADDRESS_OCTETS, type Family, type IpAddress, parseAddress } from '@overland/net';
import type { MrtPeer } from '../mrt/decode-mrt.ts';
import { type DumpedPath, TableDumpWriter } from '../mrt/table-dump-writer.ts';
import { MAX_NLRI_OCTETS } from '../wire/update-writer.ts';
import type { FamilyRib } from './family-rib.ts';
import { OWN_SLOT } from './originated-routes.ts';
import { GroupFlag } from './path-groups.ts';
import type { Peer } from './peer.ts';
import type { TableDump, TableDumpOptions } from './route-engine.ts';

/** Octets of records that are written before they are handed over, about. */
const PIECE_OCTETS = 64 * 1024;

const UNSPECIFIED = parseAddress('0.0.0.0');

/** Of a peer that may have one of several, and has no session. */
const UNKNOWN_AS = 0;

/** Of what we originate. */
const NO_NEXT_HOP = {
  ipv4: new Uint8Array(ADDRESS_OCTETS.ipv4),
  ipv6: new Uint8Array(ADDRESS_OCTETS.ipv6),
} as const satisfies Record<Family, Uint8Array>;

/** A peer whose paths may be in the RIBs. */
export interface DumpedPeer extends MrtPeer {
  readonly slot: number;
  /** UNIX time since which its paths may be here, seconds. */
  readonly sinceSeconds: number;
}

/** What is dumped, and of whom. */
export interface DumpedTables {
  readonly ribs: readonly FamilyRib[];
  readonly routerId: IpAddress;
  readonly asn: number;
  /** Without the speaker itself. */
  readonly peers: readonly DumpedPeer[];
}

/**
 * Writes the RIBs as TABLE_DUMP_V2, in slices, while they change: a prefix is as it was when its turn came, and what
 * came after the dump had begun may be in it or not. Peers that are new by then are left out.
 */
export class RibDump implements TableDump {
  readonly #ribs: readonly FamilyRib[];
  readonly #options: TableDumpOptions;
  readonly #writer: TableDumpWriter;
  /** By slot: place in the index of peers, and since when; a hole: not there. */
  readonly #peers: { readonly index: number; readonly sinceSeconds: number }[] = [];
  readonly #nlri = new Uint8Array(MAX_NLRI_OCTETS);
  #rib = 0;
  #prefix = 1;

  constructor({ ribs, routerId, asn, peers }: DumpedTables, options: TableDumpOptions) {
    this.#ribs = ribs;
    this.#options = options;
    const { nowSeconds } = options;
    this.#writer = new TableDumpWriter(nowSeconds);
    // What we originate comes from a peer without address, as in FRR's dumps.
    const own = { slot: OWN_SLOT, routerId, address: UNSPECIFIED, asn, sinceSeconds: nowSeconds };
    const all = [own, ...peers];
    for (const [index, { slot, sinceSeconds }] of all.entries()) {
      this.#peers[slot] = { index, sinceSeconds };
    }
    const index = all.map(({ routerId: id, address, asn: as }) => ({
      routerId: id,
      address,
      asn: as,
    }));
    this.#writer.peerIndex(routerId, options.view, index);
  }

  next(units: number): Uint8Array<ArrayBuffer> | undefined {
    let used = 0;
    while (used < units && this.#writer.length < PIECE_OCTETS) {
      const rib = this.#ribs[this.#rib];
      if (!rib) break;
      if (this.#prefix > rib.tables.highestPrefix()) {
        this.#rib += 1;
        this.#prefix = 1;
      } else {
        used += 1 + this.#write(rib, this.#prefix);
        this.#prefix += 1;
      }
    }
    const isOver = this.#rib >= this.#ribs.length && this.#writer.length === 0;
    return isOver ? undefined : this.#writer.take();
  }

  /** @returns How many paths were written. */
  #write(rib: FamilyRib, prefix: number): number {
    const { paths, prefixes } = rib.tables;
    const dumped: DumpedPath[] = [];
    for (let path = paths.first(prefix); path !== 0; path = paths.following(path)) {
      const one = this.#path(rib, paths.group(path));
      if (one) dumped.push({ ...one, pathId: paths.identifier(path) });
    }
    if (dumped.length === 0) return 0;
    const hasPathIds = dumped.some(({ pathId }) => pathId !== 0);
    const length = prefixes.writeNlri(prefix, this.#nlri, 0);
    this.#writer.prefix({ family: rib.family, hasPathIds }, this.#nlri.subarray(0, length), dumped);
    return dumped.length;
  }

  #path(rib: FamilyRib, group: number): Omit<DumpedPath, 'pathId'> | undefined {
    const { attributes, groups, keepFrom, nextHops } = rib.tables;
    const slot = groups.peer(group);
    const peer = this.#peers[slot];
    const isReceived = this.#options.view === 'received';
    if (!peer || groups.generation(group) < keepFrom.get(slot)) return undefined;
    if (!isReceived && groups.has(group, GroupFlag.Refused)) return undefined;
    const id = isReceived ? groups.received(group) : groups.attribute(group);
    const nextHop = isReceived ? groups.receivedNextHop(group) : groups.nextHop(group);
    return {
      peerIndex: peer.index,
      originatedSeconds: peer.sinceSeconds,
      set: {
        bytes: attributes.bytes(id),
        offset: attributes.offset(id),
        length: attributes.length(id),
      },
      nextHop: nextHops.octetsOf(nextHop) ?? NO_NEXT_HOP[rib.family],
    };
  }
}

/** The peers that have paths, or may have. A peer whose session is over has no BGP Identifier. */
export function dumpedPeers(
  peers: readonly (Peer | undefined)[],
  { nowSeconds, upSinceSeconds }: TableDumpOptions,
): DumpedPeer[] {
  return peers.flatMap((peer) => {
    if (!peer?.config) return [];
    const { slot, config, live } = peer;
    return {
      slot,
      address: config.address,
      asn: live?.session.peerAsn ?? (typeof config.asn === 'number' ? config.asn : UNKNOWN_AS),
      routerId: live?.session.peerRouterId ?? UNSPECIFIED,
      sinceSeconds: upSinceSeconds(slot - 1) ?? nowSeconds,
    };
  });
}
