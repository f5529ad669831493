import type { NeighborDetail } from '@overland/bgp/node';
import type { Family } from '@overland/net';
import { FAMILY_KEYS, isFamilyUp, stateOf } from './peer-state.ts';
import { prefixHints } from './prefix-hints.ts';

/**
 * `bgp neighbor -o json`: the shape and the keys of FRR's `show bgp neighbors X json`. Ours in addition: `peerName`,
 * `refused`, `refusedByRule`, `filteredPrefixCounter`, `heldBackPrefixCounter`, `hints`, `lastCommunication`. Peers that share an address have their name as key.
 */
export function neighborJson(neighbors: readonly NeighborDetail[]): object {
  const isAlone = neighbors.length === 1;
  return Object.fromEntries(
    neighbors.map((peer) => [isAlone ? peer.place : peer.name, peerJson(peer)]),
  );
}

function peerJson(peer: NeighborDetail): object {
  const { session, configured, endpoints } = peer;
  return {
    peerName: peer.name,
    ...(peer.range !== null && { dynamicPeer: true, listenRange: peer.range }),
    remoteAs: peer.asn ?? 0,
    localAs: peer.localAsn,
    ...(peer.linkType === 'internal' ? { nbrInternalLink: true } : { nbrExternalLink: true }),
    ...(peer.description !== undefined && { nbrDesc: peer.description }),
    ...(peer.bgpRole !== null && {
      localRole: peer.bgpRole,
      remoteRole: session?.peerRole ?? 'undefined',
    }),
    bgpVersion: peer.version,
    remoteRouterId: session?.peerRouterId ?? '0.0.0.0',
    localRouterId: peer.localRouterId,
    bgpState: stateOf(peer),
    ...(session && { bgpTimerUpMsec: (peer.upDownSeconds ?? 0) * 1000 }),
    ...milliseconds('bgpTimerLastRead', peer.lastReadSeconds),
    ...milliseconds('bgpTimerLastWrite', peer.lastWriteSeconds),
    ...milliseconds('bgpTimerHoldTimeMsecs', session?.holdSeconds ?? null),
    ...milliseconds('bgpTimerKeepAliveIntervalMsecs', session?.keepaliveSeconds ?? null),
    bgpTimerConfiguredHoldTimeMsecs: configured.holdSeconds * 1000,
    bgpTimerConfiguredKeepAliveIntervalMsecs: configured.keepaliveSeconds * 1000,
    ...(session && { neighborCapabilities: capabilitiesJson(peer) }),
    gracefulRestartInfo: {
      endOfRibSend: familyFlags(peer.endOfRib.sent),
      endOfRibRecv: familyFlags(peer.endOfRib.received),
    },
    messageStats: messagesJson(peer),
    addressFamilyInfo: Object.fromEntries(
      peer.families.map((family) => [FAMILY_KEYS[family], familyJson(peer, family)]),
    ),
    refused: peer.refused,
    refusedByRule: peer.refusedByRule,
    connectionsEstablished: peer.timesEstablished,
    connectionsDropped: peer.timesDropped,
    ...resetJson(peer),
    ...(session &&
      endpoints && { hostLocal: session.localAddress, portLocal: endpoints.localPort }),
    hostForeign: peer.address,
    portForeign: endpoints?.remotePort ?? configured.port,
    ...(configured.minTtl !== null && { minimumTtl: configured.minTtl }),
    externalBgpNbrMaxHopsAway: configured.ttl,
    connectRetryTimer: configured.connectRetrySeconds,
    passive: configured.passive,
    ...(configured.hasPassword && { authenticationEnabled: 1 }),
  };
}

function milliseconds(key: string, seconds: number | null): object {
  return seconds === null ? {} : { [key]: seconds * 1000 };
}

/** `advertisedAndReceived`, as FRR says it. */
function capabilitiesJson({ capabilities, gracefulRestart }: NeighborDetail): object {
  const json: Record<string, unknown> = {};
  const families: Record<string, unknown> = {};
  const addPath: Record<string, Record<string, boolean>> = {};
  for (const { key, family, advertised, received } of capabilities) {
    const sides = advertised && received ? 'advertisedAndReceived' : undefined;
    const word = sides ?? (advertised ? 'advertised' : 'received');
    if (!family) json[key] = word;
    else if (key === 'multiprotocolExtensions') families[FAMILY_KEYS[family]] = { [word]: true };
    else {
      const flag = key + word[0]?.toUpperCase() + word.slice(1);
      addPath[FAMILY_KEYS[family]] = { ...addPath[FAMILY_KEYS[family]], [flag]: true };
    }
  }
  const { remote } = gracefulRestart;
  return {
    ...json,
    multiprotocolExtensions: families,
    ...(Object.keys(addPath).length > 0 && { addPath }),
    ...(remote && {
      gracefulRestartRemoteTimerMsecs: remote.restartSeconds * 1000,
      addressFamiliesByPeer: Object.fromEntries(
        remote.families.map(({ family, forwarding }) => [
          FAMILY_KEYS[family],
          { family: forwarding ? 'preserved' : 'notPreserved' },
        ]),
      ),
    }),
  };
}

function familyFlags(families: readonly Family[]): object {
  return Object.fromEntries(families.map((family) => [FAMILY_KEYS[family], true]));
}

function messagesJson({ sent, received, ...peer }: NeighborDetail): object {
  return {
    depthInq: peer.inQueueOctets,
    depthOutq: peer.outQueueOctets,
    opensSent: sent.open,
    opensRecv: received.open,
    notificationsSent: sent.notification,
    notificationsRecv: received.notification,
    updatesSent: sent.update,
    updatesRecv: received.update,
    keepalivesSent: sent.keepalive,
    keepalivesRecv: received.keepalive,
    routeRefreshSent: sent.routeRefresh,
    routeRefreshRecv: received.routeRefresh,
    totalSent: peer.messagesSent,
    totalRecv: peer.messagesReceived,
  };
}

function familyJson(peer: NeighborDetail, family: Family): object {
  const most = peer.configured.maxPrefixes?.most[family];
  const maxAdvertised = peer.configured.maxAdvertised?.[family];
  return {
    negotiated: isFamilyUp(peer, family),
    acceptedPrefixCounter: peer.prefixesReceived[family],
    filteredPrefixCounter: peer.prefixesFiltered[family],
    stalePrefixCounter: peer.prefixesStale[family],
    sentPrefixCounter: peer.prefixesSent[family],
    ...(maxAdvertised !== undefined && {
      prefixOutAllowedMax: maxAdvertised,
      heldBackPrefixCounter: peer.prefixesHeldBack[family],
    }),
    ...(most !== undefined && { prefixAllowedMax: most }),
    hints: prefixHints(peer, family),
  };
}

function resetJson({ lastReset, lastError, lastCommunication }: NeighborDetail): object {
  return {
    ...(lastReset && {
      lastResetTimerMsecs: lastReset.secondsAgo * 1000,
      lastResetDueTo: lastReset.reason,
      ...(lastReset.notification && {
        lastNotificationReason: lastReset.notification.name,
        lastErrorCodeSubcode: code(lastReset.notification),
        lastNotificationData: lastReset.notification.data,
        lastNotificationDirection: lastReset.notification.direction,
      }),
    }),
    ...(lastError !== null && { lastError }),
    ...(lastCommunication !== null && { lastCommunication }),
  };
}

/** Two octets in hexadecimal, as FRR writes them: `0604`. */
function code(notification: { readonly code: number; readonly subcode: number }): string {
  return [notification.code, notification.subcode]
    .map((octet) => octet.toString(16).padStart(2, '0').toUpperCase())
    .join('');
}
