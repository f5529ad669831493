import { type Family, parseAddress } from '@overland/net';
import { expect } from 'vitest';
import type { SpeakerConfig } from '../src/core/config.ts';
import { createSharedTables } from '../src/core/rib/shared-tables.ts';
import { CLUSTER, FILTERS, type NaivePolicy, POLICIES } from './naive-filters.ts';
import type { NaivePeer, NaiveRules } from './naive-rib.ts';
import {
  connect,
  link,
  peerConfig,
  Speaker,
  sessionWith,
  settle,
  speakerConfig,
} from './two-speakers.ts';

export const ASN = 65000;
export const RECEIVER = 9;
/** The receiver is on one subnet with the first peer. */
export const LINK = {
  ipv4: { own: '10.0.1.254', receiver: '10.0.1.9' },
  ipv6: { own: 'fd00:0:0:1::254', receiver: 'fd00:0:0:1::9' },
} as const;
/** Numbers of ours and of other reflectors. */
export const ROUTER_ID = 0xc000_0201;
export const CLUSTERS = [ROUTER_ID, 0x0101_0101, 0x0202_0202];

export const PREFIXES = {
  ipv4: ['0.0.0.0/0', '10.1.0.0/16', '10.1.0.0/24', '10.1.0.128/25', '10.9.9.9/32'],
  ipv6: ['::/0', 'fd00:1::/48', 'fd00:1::/64', 'fd00:1:0:0:8000::/66', 'fd00:9::9/128'],
} as const;

/** Three peers: two of them eBGP, and one iBGP that also sends LOCAL_PREF and what reflectors add. */
function newPeers(): NaivePeer[] {
  return [1, 2, 3].map((n) => ({
    name: `10.0.${n}.1`,
    ebgp: n !== 3,
    routerId: n === 2 ? 1 : n,
    addressRank: n,
    nextHop: `10.0.${n}.1`,
    device: `eth${n}`,
    up: true,
    longLived: false,
    allowAsIn: 0,
    isClient: false,
    accept: (_, attributes) => attributes,
    routes: new Map(),
  }));
}

/** The engine under test with raw feeders, the model beside it, and a second engine that receives. */
export class World {
  readonly dut: Speaker;
  readonly shared = createSharedTables();
  readonly receiver: Speaker;
  readonly receiverAsn: number;
  readonly peers = newPeers();
  readonly rules: NaiveRules = {
    asn: ASN,
    maxPaths: 1,
    relaxAsPath: false,
    routerId: ROUTER_ID,
    clusterId: ROUTER_ID,
    clientToClient: true,
    dead: new Set(),
  };
  readonly family: Family;
  receives = false;
  receiverIsClient = false;
  receiverHasDefault = false;
  /** By name of the peer. */
  readonly imports = new Map<string, NaivePolicy>();
  exports = POLICIES[0] as NaivePolicy;

  /** Whether the receiver knows what a route is that is kept from a session that is long over. */
  readonly receiverTakesStale: boolean;

  constructor(family: Family, receiverAsn: number, receiverTakesStale: boolean) {
    this.receiverTakesStale = receiverTakesStale;
    this.family = family;
    this.receiverAsn = receiverAsn;
    this.receiver = new Speaker(
      speakerConfig(receiverAsn, { routerId: parseAddress('192.0.2.9') }),
    );
    this.dut = new Speaker(this.config(), { shared: this.shared });
    this.links();
    this.receiver.engine.setInterfaces([link('eth0', ['10.0.1.9/24', 'fd00:0:0:1::9/64'])]);
    this.receiver.engine.endDeferral();
    for (const peer of this.peers) this.up(peer, true);
  }

  config(): SpeakerConfig {
    return speakerConfig(ASN, {
      multipath: { maxPaths: this.rules.maxPaths, relaxAsPath: this.rules.relaxAsPath },
      routerId: identifier(ROUTER_ID),
      clusterId: identifier(this.rules.clusterId),
      clientToClient: this.rules.clientToClient,
      filters: FILTERS,
      importSafety: CLUSTER,
      peers: [
        ...this.peers.map((peer) => this.peerConfig(peer)),
        peerConfig(LINK[this.family].receiver, this.receiverAsn, this.receiverConfig()),
      ],
    });
  }

  receiverConfig() {
    return {
      families: [this.family],
      routeReflectorClient: this.receiverIsClient,
      defaultOriginate: this.receiverHasDefault,
      exportFilters: this.exports.filters,
    };
  }

  peerConfig(peer: NaivePeer) {
    return peerConfig(peer.name, peer.ebgp ? 65000 + peer.addressRank : ASN, {
      allowAsIn: peer.allowAsIn,
      routeReflectorClient: peer.isClient,
      families: [this.family],
      ...this.importConfig(peer),
    });
  }

  importConfig(peer: NaivePeer) {
    const { filters = [], importSafety } = this.imports.get(peer.name) ?? {};
    return { importFilters: filters, ...(importSafety && { importSafety }) };
  }

  links(): void {
    const devices = [1, 2, 3, 9].map((n) =>
      link(
        `eth${n}`,
        [`10.0.${n}.254/24`, `fd00:0:0:${n}::254/64`],
        !this.rules.dead.has(`eth${n}`),
      ),
    );
    this.dut.engine.setInterfaces(devices);
  }

  up(peer: NaivePeer, force = false): void {
    if (peer.up && !force) return;
    peer.up = true;
    const n = peer.addressRank;
    this.dut.engine.peerUp(
      sessionWith(
        n,
        this.peerConfig(peer),
        { asn: ASN, address: `10.0.${n}.254` },
        {
          peerRouterId: parseAddress(`0.0.0.${peer.routerId}`),
        },
      ),
    );
  }

  down(peer: NaivePeer, retain: boolean): void {
    if (!peer.up) return;
    peer.up = false;
    for (const [prefix, route] of peer.routes) {
      if (!retain || (route.stale && !peer.longLived)) peer.routes.delete(prefix);
      else route.stale = true;
    }
    peer.longLived &&= retain;
    this.dut.engine.peerDown(peer.addressRank, retain ? [this.family] : []);
  }

  dropStale(peer: NaivePeer): void {
    peer.longLived = false;
    for (const [prefix, { stale }] of peer.routes) if (stale) peer.routes.delete(prefix);
  }

  receive(peer: NaivePeer, body: Uint8Array): void {
    expect(this.dut.engine.receiveUpdate(peer.addressRank, body)).toBeUndefined();
  }

  nextHop(peer: NaivePeer): string {
    return this.family === 'ipv4' ? peer.nextHop : `fd00:0:0:${peer.addressRank}::1`;
  }

  /** Takes everything away: nothing may be left in the tables. */
  end(): void {
    for (const peer of this.peers) {
      this.down(peer, false);
      this.dut.engine.flushStale(peer.addressRank);
    }
    this.dut.engine.peerDown(RECEIVER, []);
    this.dut.unplug(RECEIVER);
    settle(this.dut);
    expect(this.shared.attributes.size).toBe(0);
    expect(this.shared.prefixes[this.family].size).toBe(0);
  }

  startReceiver(): void {
    this.receives = true;
    connect(
      {
        speaker: this.dut,
        asn: ASN,
        address: LINK[this.family].own,
        peer: RECEIVER,
        config: this.receiverConfig(),
      },
      {
        speaker: this.receiver,
        asn: this.receiverAsn,
        address: LINK[this.family].receiver,
        peer: 0,
        config: { families: [this.family] },
      },
      { takesLongLivedStale: this.receiverTakesStale },
    );
  }
}

export function identifier(value: number) {
  return parseAddress([24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join('.'));
}
