/**
 * ICMPv6 messages without which no address is reachable: multicast listeners (RFC 2710, 3810), routers and neighbours
 * (RFC 4861). Conntrack does not track them, and what is to come through a failsafe port needs them.
 */
export const ESSENTIAL_ICMPV6 = [130, 131, 132, 133, 134, 135, 136, 143] as const;
