import type { IpAddress } from '@overland/net';
import type {
  BmpPeer,
  BmpPeerDown,
  BmpPeerUp,
  BmpRib,
  BmpStatistic,
} from '../../core/bmp/bmp-message.ts';
import type { SpeakerConfig } from '../../core/config.ts';
import type { RouteCounters } from '../../core/rib/route-engine.ts';
import type { UpSession } from '../../core/session/peer-events.ts';
import { afiOf } from '../../core/wire/address-family.ts';
import { NO_CAPABILITIES } from '../../core/wire/capabilities.ts';
import { encodeNotification } from '../../core/wire/notification.ts';
import { encodeOpen } from '../../core/wire/open.ts';
import type { PeerRunner } from '../peer-runner.ts';

/** The BGP Identifier of a peer whose session is over. */
const NO_IDENTIFIER = '0.0.0.0' as IpAddress;
/** Offered in OPENs that nobody sent: RFC 9069 section 4.1.1 wants them for the Loc-RIB. */
const HOLD_SECONDS = 0;
const FAMILIES = ['ipv4', 'ipv6'] as const;

/** Whom messages about a session's routes name. */
export function peerOf(runner: PeerRunner, session: UpSession, rib: BmpRib): BmpPeer {
  return {
    rib,
    address: runner.config.address,
    asn: session.peerAsn,
    routerId: session.peerRouterId ?? NO_IDENTIFIER,
    timeMs: Date.now(),
  };
}

/** The speaker itself, as messages about the Loc-RIB name it. RFC 9069 section 4.1. */
export function locRibPeer({ asn, routerId }: SpeakerConfig): BmpPeer {
  return { rib: 'loc-rib', address: NO_IDENTIFIER, asn, routerId, timeMs: Date.now() };
}

/** How a session came about; `undefined`: TCP is over already. */
export function peerUpOf(runner: PeerRunner, { localAddress }: UpSession): BmpPeerUp | undefined {
  const { endpoints } = runner;
  const { opens } = runner.record;
  if (!endpoints || !opens) return undefined;
  const { sent, received } = opens;
  return { localAddress, ...endpoints, openSent: sent, openReceived: received };
}

/** An OPEN of the speaker with itself: it says that AS numbers have four octets, and which families there are. */
export function locRibUp({ asn, routerId }: SpeakerConfig): BmpPeerUp {
  const open = encodeOpen({
    asn,
    holdSeconds: HOLD_SECONDS,
    routerId,
    capabilities: { ...NO_CAPABILITIES, families: FAMILIES, fourOctetAs: asn },
  });
  return {
    localAddress: NO_IDENTIFIER,
    localPort: 0,
    remotePort: 0,
    openSent: open,
    openReceived: open,
  };
}

/** Why a session ended. */
export function peerDownOf({ record }: PeerRunner): BmpPeerDown {
  const notification = record.lastReset?.notification;
  if (!notification) return { by: 'peer' };
  const by = notification.direction === 'sent' ? 'us' : 'peer';
  return { by, notification: encodeNotification(notification) };
}

/** RFC 7854 section 4.8, RFC 8671 section 6.2: what they call by number. */
export function statisticsOf({ received, filtered, refused, sent }: RouteCounters): BmpStatistic[] {
  const counter = (type: number, value = 0): BmpStatistic => ({ type, value, octets: 4 });
  const routes = FAMILIES.map((family) => ({ family, count: received[family] + filtered[family] }));
  return [
    counter(0, refused.filter),
    counter(3, refused['cluster-list-loop']),
    counter(4, refused['as-path-loop']),
    counter(5, refused['originator-id-loop']),
    counter(11, refused['treat-as-withdraw']),
    { type: 7, value: routes.reduce((sum, { count }) => sum + count, 0), octets: 8 },
    ...routes.map(({ family, count }) => ({
      type: 9,
      value: count,
      octets: 8 as const,
      afi: afiOf(family),
    })),
    { type: 15, value: sent.ipv4 + sent.ipv6, octets: 8 },
    ...FAMILIES.map((family) => ({
      type: 17,
      value: sent[family],
      octets: 8 as const,
      afi: afiOf(family),
    })),
  ];
}
