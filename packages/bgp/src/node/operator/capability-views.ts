import type { Family } from '@overland/net';
import type { Negotiated } from '../../core/session/negotiation.ts';
import type { Capabilities } from '../../core/wire/capabilities.ts';

/** One capability of a session, and who announced it. RFC 5492. */
export interface CapabilityView {
  /** FRR's key in JSON. */
  readonly key: string;
  /** FRR's words. */
  readonly title: string;
  /** Of the multiprotocol and the ADD-PATH capability: whose routes. */
  readonly family?: Family;
  readonly advertised: boolean;
  readonly received: boolean;
}

interface Row extends Omit<CapabilityView, 'advertised' | 'received'> {
  isIn(capabilities: Capabilities): boolean;
}

/** In the order of FRR. A capability that the speaker learns gets its line here. */
const ROWS: readonly Row[] = [
  {
    key: '4byteAs',
    title: '4 Byte AS',
    isIn: ({ fourOctetAs }) => fourOctetAs !== undefined,
  },
  multiprotocol('ipv4', 'Address Family IPv4 Unicast'),
  multiprotocol('ipv6', 'Address Family IPv6 Unicast'),
  { key: 'routeRefresh', title: 'Route refresh', isIn: ({ routeRefresh }) => routeRefresh },
  {
    key: 'enhancedRouteRefresh',
    title: 'Enhanced Route Refresh',
    isIn: ({ enhancedRouteRefresh }) => enhancedRouteRefresh,
  },
  {
    key: 'extendedMessage',
    title: 'Extended Message',
    isIn: ({ extendedMessages }) => extendedMessages,
  },
  {
    key: 'extendedNexthop',
    title: 'Extended nexthop',
    isIn: ({ extendedNextHop }) => extendedNextHop.length > 0,
  },
  ...addPath('ipv4', 'IPv4 Unicast'),
  ...addPath('ipv6', 'IPv6 Unicast'),
  { key: 'role', title: 'Role', isIn: ({ roles }) => roles.length > 0 },
  {
    key: 'gracefulRestart',
    title: 'Graceful Restart Capability',
    isIn: ({ gracefulRestart }) => gracefulRestart !== undefined,
  },
  {
    key: 'longLivedGracefulRestart',
    title: 'Long-lived Graceful Restart',
    isIn: ({ longLivedRestart }) => longLivedRestart !== undefined,
  },
];

function multiprotocol(family: Family, title: string): Row {
  const isIn = ({ families }: Capabilities): boolean => families?.includes(family) ?? false;
  return { key: 'multiprotocolExtensions', title, family, isIn };
}

/** Who says that it takes path identifiers, and who that it sends them. RFC 7911. */
function addPath(family: Family, title: string): Row[] {
  return (['receive', 'send'] as const).map((direction) => {
    const key = direction === 'receive' ? 'rx' : 'tx';
    return {
      key,
      title: `AddPath ${title} ${key.toUpperCase()}`,
      family,
      isIn: (capabilities) =>
        capabilities.addPath.some((entry) => entry.family === family && entry[direction]),
    };
  });
}

/** Capabilities that at least one side announced. */
export function capabilityViews(
  session: Pick<Negotiated, 'advertisedCapabilities' | 'receivedCapabilities'>,
): CapabilityView[] {
  return ROWS.map(({ isIn, ...row }) => ({
    ...row,
    advertised: isIn(session.advertisedCapabilities),
    received: isIn(session.receivedCapabilities),
  })).filter(({ advertised, received }) => advertised || received);
}
