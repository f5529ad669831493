import { addressBytes, type Family, familyOf } from '@overland/net';
import type { PeerConfig, SpeakerConfig } from '../config.ts';
import { countAs } from '../wire/as-path.ts';
import { readU32 } from '../wire/attribute-set.ts';
import type { BgpRole } from '../wire/role.ts';
import type { UpdateContext } from '../wire/update.ts';
import type { GroupOrigin } from './adj-rib-in.ts';
import type { EgressKey } from './egress-class.ts';
import type { Links } from './links.ts';
import { ownNextHop } from './own-next-hop.ts';
import { GroupFlag } from './path-groups.ts';
import type { RefusalReason } from './refusal.ts';
import type { RibOut } from './rib-out.ts';
import type { ReflectorIds } from './rib-tables.ts';
import type { EstablishedSession } from './route-engine.ts';
import { SharedSubnet } from './shared-subnet.ts';

/** What the engine knows of one peer, up or down. */
export class Peer {
  /** Index in all tables: the session half's number plus one, 0 being the speaker itself. */
  readonly slot: number;
  name = '';
  live: LiveSession | undefined;
  /** Of the session, or of the last one: its routes may be there still. */
  config: PeerConfig | undefined;
  /** Families whose End-of-RIB came in since the session is up. */
  readonly endOfRib = new Set<Family>();
  updatesReceived = 0;
  updatesSent = 0;
  readonly refused = new Map<RefusalReason, number>();
  readonly refusedByRule = new Map<string, number>();

  constructor(slot: number) {
    this.slot = slot;
  }

  /** @param rule Of a filter, if one did it. */
  refuse(reason: RefusalReason, count = 1, rule?: string): void {
    this.refused.set(reason, (this.refused.get(reason) ?? 0) + count);
    if (rule === undefined) return;
    this.refusedByRule.set(rule, (this.refusedByRule.get(rule) ?? 0) + count);
  }
}

/** What lasts as long as the session is Established. */
export class LiveSession {
  readonly session: EstablishedSession;
  readonly ebgp: boolean;
  /** Our role towards the peer; `undefined`: none, or iBGP. */
  readonly bgpRole: BgpRole | undefined;
  /** How UPDATEs of the peer are read. */
  context: UpdateContext;
  readonly origin: GroupOrigin;
  readonly outs = new Map<Family, RibOut>();
  /** The policy knobs in force; the session's identity never changes. */
  policy: PeerConfig;

  constructor(session: EstablishedSession, speaker: SpeakerConfig) {
    this.session = session;
    this.policy = session.config;
    this.ebgp = session.peerAsn !== session.localAsn;
    this.bgpRole = this.ebgp ? session.config.role : undefined;
    this.context = this.#updateContext();
    const [own, other] = [session.localAsn, speaker.asn];
    this.origin = {
      flags: this.ebgp ? GroupFlag.Ebgp : 0,
      routerId: readU32(addressBytes(session.peerRouterId), 0),
      countOwnAs: (asPath) => countAs(asPath, own) + (other === own ? 0 : countAs(asPath, other)),
    };
  }

  /** Takes over other knobs. Those for received paths count from the next UPDATE. */
  adopt(policy: PeerConfig): void {
    this.policy = policy;
    this.context = this.#updateContext();
  }

  #updateContext(): UpdateContext {
    const { session, ebgp, policy } = this;
    return {
      fourOctetAs: session.fourOctetAs,
      ebgp,
      families: session.families,
      ...(session.extendedNextHop && { extendedNextHop: session.extendedNextHop }),
      addPath: session.addPath?.receive ?? [],
      firstAs: ebgp && policy.enforceFirstAs ? session.peerAsn : 0,
      refusesAsSets: !policy.allowAsSets,
    };
  }

  #privateAs(): EgressKey['privateAs'] {
    const { localAsn, peerAsn } = this.session;
    const mode = this.policy.removePrivateAs;
    return this.ebgp && mode ? { mode, localAsn, peerAsn } : undefined;
  }

  /** Whether the peer is a client of this route reflector. */
  get isClient(): boolean {
    return !this.ebgp && this.policy.routeReflectorClient === true;
  }

  /** @param exportPolicy Id of the export filters; empty: none. */
  egressKey(family: Family, speaker: SpeakerConfig, exportPolicy: string): EgressKey {
    const { session, policy, ebgp } = this;
    return Object.freeze({
      family,
      role: speaker.role,
      ebgp,
      localAsn: session.localAsn,
      overrideAsn: ebgp && policy.asOverride ? session.peerAsn : 0,
      privateAs: this.#privateAs(),
      nextHop: policy.nextHop,
      extendedNextHop: session.extendedNextHop?.includes(family) ?? false,
      isClient: this.isClient,
      clientToClient: speaker.clientToClient ?? true,
      clusterId: ebgp ? 0 : reflectorIds(speaker).clusterId,
      bgpRole: this.bgpRole,
      fourOctetAs: session.fourOctetAs,
      maxMessageOctets: session.maxMessageOctets,
      takesLongLivedStale: session.takesLongLivedStale ?? false,
      gracefulShutdown: policy.gracefulShutdown ?? false,
      addPath: this.#addPathSelection(family),
      exportPolicy,
    });
  }

  /** Whether it has path identifiers at all lasts as long as the session. RFC 7911. */
  #addPathSelection(family: Family): EgressKey['addPath'] {
    const { addPath, config } = this.session;
    if (!addPath?.send.includes(family)) return undefined;
    return this.policy.addPath?.send ?? config.addPath?.send ?? 'all';
  }

  /** Our address as a next hop of a family, as it is sent; `undefined` if the session's interface has none. */
  ownNextHop(family: Family, links: Links): Uint8Array | undefined {
    return ownNextHop(this.session, family, links, this.policy.linkLocalNextHop);
  }

  /** The subnet that an eBGP peer shares with us and may share with other routers. RFC 4271 section 5.1.3. */
  sharedSubnet(family: Family, links: Links): SharedSubnet | undefined {
    const { address } = this.session.config;
    if (!this.ebgp || familyOf(address) !== family) return undefined;
    const prefix = links.subnetOf(address);
    const subnet = prefix && new SharedSubnet(prefix, address);
    return subnet?.hasRoom ? subnet : undefined;
  }
}

/** Numbers of the speaker and of its cluster. */
export function reflectorIds({ routerId, clusterId = routerId }: SpeakerConfig): ReflectorIds {
  return {
    routerId: readU32(addressBytes(routerId), 0),
    clusterId: readU32(addressBytes(clusterId), 0),
  };
}
