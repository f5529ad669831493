import {
  type Asn,
  addressBytes,
  type Family,
  type IpAddress,
  parseAddress,
  parseAsn,
} from '@overland/net';
import type { PeerConfig, SpeakerConfig } from '../config.ts';
import { BgpError, ErrorCode, OpenSubcode } from '../wire/bgp-error.ts';
import {
  type Capabilities,
  encodeCapabilities,
  type GracefulRestart,
  NO_CAPABILITIES,
} from '../wire/capabilities.ts';
import { MAX_EXTENDED_OCTETS, MAX_MESSAGE_OCTETS } from '../wire/header.ts';
import type { LongLivedFamily } from '../wire/long-lived-restart.ts';
import type { Open } from '../wire/open.ts';
import { type BgpRole, COUNTERPART, roleFrom, roleValue } from '../wire/role.ts';
import { Writer } from '../wire/writer.ts';
import { type AddPathFamilies, commonAddPath, localAddPath } from './add-path.ts';
import { acceptsAs, isExternal, remoteAsText } from './remote-as.ts';

/** What the two OPENs settle. */
export interface Negotiated {
  readonly families: readonly Family[];
  /** The peer's, as its OPEN says. */
  readonly peerAsn: Asn;
  /** 0: the session has no hold time and no keepalives. */
  readonly holdSeconds: number;
  readonly keepaliveSeconds: number;
  readonly fourOctetAs: boolean;
  readonly peerRouterId: IpAddress;
  /** What each side announced, for the operator. */
  readonly advertisedCapabilities: Capabilities;
  readonly receivedCapabilities: Capabilities;
  /** A refresh is told to begin and to end. RFC 7313. */
  readonly enhancedRefresh: boolean;
  /** Largest message either side may send, OPEN and KEEPALIVE aside, octets. RFC 8654. */
  readonly maxMessageOctets: number;
  /** Families whose prefixes both sides take with IPv6 next hops. RFC 8950. */
  readonly extendedNextHop: readonly Family[];
  /** Families with path identifiers. RFC 7911. */
  readonly addPath: AddPathFamilies;
  /** The peer's, if it told it. RFC 9234. */
  readonly peerRole: BgpRole | undefined;
  /** The peer's capability, when both sides have announced it. */
  readonly gracefulRestart: GracefulRestart | undefined;
  /** How long routes are kept beyond that, by family; empty unless both sides have announced it. RFC 9494. */
  readonly longLivedRestart: readonly LongLivedFamily[];
  /** The peer knows routes that are kept so, and may be sent them. RFC 9494 section 4.3. */
  readonly takesLongLivedStale: boolean;
  /** Routes are kept after a NOTIFICATION other than Hard Reset, too. RFC 8538. */
  readonly notificationRestart: boolean;
  /** Families for which the peer sends End-of-RIB before it wants ours: it did not restart. RFC 4724 section 4.1. */
  readonly endOfRibExpected: readonly Family[];
}

/** What our OPEN says beyond the configuration. */
export interface Restart {
  /** We have restarted and have not yet selected routes since: the R bit. RFC 4724 section 4.1. */
  readonly restarting: boolean;
  /** Families for which the kernel kept our routes all along: the F bit. */
  readonly preserved: readonly Family[];
}

const NO_IDENTIFIER = parseAddress('0.0.0.0');
const MIN_HOLD_SECONDS = 3;

/** The AS number that we use towards the peer. */
export function localAsn(speaker: SpeakerConfig, peer: PeerConfig): Asn {
  return peer.localAsn ?? speaker.asn;
}

/** Our role towards an eBGP peer; there is none inside an AS. RFC 9234 section 4. */
function ownRole(speaker: SpeakerConfig, peer: PeerConfig): BgpRole | undefined {
  return isExternal(peer.asn, localAsn(speaker, peer)) ? peer.role : undefined;
}

/** The OPEN that we send. RFC 4271 section 4.2. */
export function localOpen(speaker: SpeakerConfig, peer: PeerConfig, restart: Restart): Open {
  const { enabled, restartSeconds, notification = false } = speaker.gracefulRestart;
  const { longLivedStaleSeconds: staleSeconds } = speaker.gracefulRestart;
  const forwarding = (family: Family): boolean => restart.preserved.includes(family);
  const role = ownRole(speaker, peer);
  return {
    asn: localAsn(speaker, peer),
    holdSeconds: peer.holdSeconds,
    routerId: speaker.routerId,
    capabilities: {
      families: peer.families,
      extendedNextHop: peer.extendedNextHop
        ? peer.families.filter((family) => family === 'ipv4')
        : [],
      fourOctetAs: localAsn(speaker, peer),
      routeRefresh: true,
      extendedMessages: peer.extendedMessages ?? false,
      enhancedRouteRefresh: true,
      roles: role === undefined ? [] : [roleValue(role)],
      addPath: localAddPath(peer),
      gracefulRestart: enabled
        ? {
            restarted: restart.restarting,
            notification,
            restartSeconds,
            families: peer.families.map((family) => ({ family, forwarding: forwarding(family) })),
          }
        : undefined,
      longLivedRestart:
        enabled && staleSeconds !== undefined
          ? peer.families.map((family) => ({
              family,
              forwarding: forwarding(family),
              staleSeconds,
            }))
          : undefined,
    },
  };
}

/** The same without optional parameters, for a peer that does not know them. RFC 5492 section 3. */
export function withoutCapabilities(open: Open): Open {
  return { ...open, capabilities: NO_CAPABILITIES };
}

/**
 * Compares the peer's OPEN with ours. RFC 4271 section 6.2.
 *
 * @returns What they settle, or the fault: 2/2, 2/3, 2/6, 2/7 or 2/11, with the value at fault as data.
 */
export function negotiate(peer: PeerConfig, sent: Open, received: Open): Negotiated | BgpError {
  const families = commonFamilies(sent, received);
  return (
    asnFault(peer, sent, received) ??
    identifierFault(sent, received) ??
    holdTimeFault(peer, received) ??
    roleFault(peer, sent, received) ??
    (families.length === 0 ? familyFault(sent) : settle({ peer, sent, received, families }))
  );
}

function settle({
  peer,
  sent,
  received,
  families,
}: {
  readonly peer: PeerConfig;
  readonly sent: Open;
  readonly received: Open;
  readonly families: readonly Family[];
}): Negotiated {
  const holdSeconds = Math.min(sent.holdSeconds, received.holdSeconds);
  const longLived = received.capabilities.longLivedRestart ?? [];
  const both = sent.capabilities.gracefulRestart && received.capabilities.gracefulRestart;
  return {
    families,
    peerAsn: parseAsn(received.asn),
    holdSeconds,
    keepaliveSeconds: Math.min(peer.keepaliveSeconds || holdSeconds, Math.floor(holdSeconds / 3)),
    fourOctetAs:
      sent.capabilities.fourOctetAs !== undefined &&
      received.capabilities.fourOctetAs !== undefined,
    peerRouterId: received.routerId,
    advertisedCapabilities: sent.capabilities,
    receivedCapabilities: received.capabilities,
    enhancedRefresh:
      sent.capabilities.enhancedRouteRefresh && received.capabilities.enhancedRouteRefresh,
    maxMessageOctets:
      sent.capabilities.extendedMessages && received.capabilities.extendedMessages
        ? MAX_EXTENDED_OCTETS
        : MAX_MESSAGE_OCTETS,
    extendedNextHop: sent.capabilities.extendedNextHop.filter(
      (family) =>
        families.includes(family) && received.capabilities.extendedNextHop.includes(family),
    ),
    addPath: commonAddPath(sent.capabilities, received.capabilities, families),
    peerRole: roleFrom(received.capabilities.roles[0] ?? -1),
    gracefulRestart: both,
    longLivedRestart: both && sent.capabilities.longLivedRestart ? longLived : [],
    takesLongLivedStale:
      received.capabilities.gracefulRestart !== undefined &&
      received.capabilities.longLivedRestart !== undefined,
    notificationRestart:
      both?.notification === true && sent.capabilities.gracefulRestart?.notification === true,
    endOfRibExpected: both && !both.restarted ? families : [],
  };
}

function asnFault(peer: PeerConfig, sent: Open, { asn }: Open): BgpError | undefined {
  if (acceptsAs(peer.asn, asn, sent.asn)) return undefined;
  const reason = `AS ${asn} instead of ${remoteAsText(peer.asn)}`;
  return openError(OpenSubcode.BadPeerAs, new Writer().u32(asn), reason);
}

function identifierFault(sent: Open, { routerId, asn }: Open): BgpError | undefined {
  // RFC 6286: unique within an AS, so a peer of another AS may have ours.
  const ours = routerId === sent.routerId && asn === sent.asn;
  if (routerId !== NO_IDENTIFIER && !ours) return undefined;
  const data = new Writer().bytes(addressBytes(routerId));
  return openError(
    OpenSubcode.BadIdentifier,
    data,
    `identifier ${routerId}${ours ? ' is ours' : ''}`,
  );
}

/** RFC 9234 section 4.2: the roles must be a pair, and several that differ are none. */
function roleFault(peer: PeerConfig, sent: Open, received: Open): BgpError | undefined {
  const own = isExternal(peer.asn, sent.asn) ? peer.role : undefined;
  if (own === undefined) return undefined;
  const { roles } = received.capabilities;
  const wanted = COUNTERPART[own];
  const isPair = roles.length === 1 && roles[0] === roleValue(wanted);
  if (isPair || (roles.length === 0 && !peer.strictRole)) return undefined;
  const names = roles.map((role) => roleFrom(role) ?? String(role)).join(' and ') || 'none';
  const data = new Writer().bytes(Uint8Array.from(roles));
  return openError(OpenSubcode.RoleMismatch, data, `role ${names} instead of ${wanted}`);
}

function holdTimeFault(peer: PeerConfig, { holdSeconds }: Open): BgpError | undefined {
  const least = peer.minHoldSeconds ?? MIN_HOLD_SECONDS;
  const never = holdSeconds === 0 && peer.minHoldSeconds === undefined;
  if (holdSeconds >= least || never) return undefined;
  const data = new Writer().u16(holdSeconds);
  return openError(
    OpenSubcode.UnacceptableHoldTime,
    data,
    `hold time ${holdSeconds}, least ${least}`,
  );
}

function commonFamilies(sent: Open, received: Open): readonly Family[] {
  // RFC 4760 section 8: without the capability the session is for IPv4 unicast.
  const ours = sent.capabilities.families ?? ['ipv4'];
  const theirs = received.capabilities.families ?? ['ipv4'];
  return ours.filter((family) => theirs.includes(family));
}

function familyFault(sent: Open): BgpError {
  const families = sent.capabilities.families ?? ['ipv4'];
  const wanted = new Writer().bytes(encodeCapabilities({ ...NO_CAPABILITIES, families }));
  const reason = `no common address family: ours ${families.join(', ')}`;
  return openError(OpenSubcode.UnsupportedCapability, wanted, reason);
}

function openError(subcode: number, data: Writer, reason: string): BgpError {
  return new BgpError({ code: ErrorCode.OpenMessage, subcode, data: data.finish() }, reason);
}
