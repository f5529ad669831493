import type { RouteEngine } from '@overland/bgp';
import type { Family } from '@overland/net';
import { NO_ANSWERS } from '../../../packages/bgp/test/support/no-answers.ts';

const HEADER = [...new Array<number>(16).fill(0xff), 0];
const END_OF_RIB: Record<Family, readonly number[]> = {
  ipv4: [...HEADER, 23, 2, 0, 0, 0, 0],
  ipv6: [...HEADER, 29, 2, 0, 0, 0, 6, 0x80, 15, 3, 0, 2, 1],
};

/** A route engine without routes: it sends End-of-RIB, and writes down what the session half tells it. */
export function noRoutes(): RouteEngine & { readonly told: string[] } {
  const told: string[] = [];
  const unsent = new Map<number, Family[]>();
  const heard = new Map<number, Family[]>();
  const none = { ipv4: 0, ipv6: 0 };
  return {
    told,
    configure: () => told.push('configure'),
    setInterfaces: () => undefined,
    received: () => 0,
    unreachableNextHops: () => [],
    peerUp({ peer, families }) {
      told.push(`up ${families.join('+')}`);
      unsent.set(peer, [...families]);
      heard.set(peer, []);
    },
    peerDown(peer, retain) {
      told.push(`down keeping [${retain.join('+')}]`);
      unsent.delete(peer);
    },
    peerRemoved: () => undefined,
    beginLongLived: (_, families) => told.push(`long-lived ${families.join('+')}`),
    flushStale: (_, families = []) => told.push(`flush ${families.join('+')}`),
    receiveUpdate(peer, body) {
      const family: Family = body.length === 4 ? 'ipv4' : 'ipv6';
      if (body.length === 4 || body.length === 10) heard.get(peer)?.push(family);
      return undefined;
    },
    beginRefresh: (_, family) => told.push(`begin refresh ${family}`),
    refresh: (_, family) => told.push(`refresh ${family}`),
    step: () => false,
    nextUpdate(peer, target, offset) {
      const family = unsent.get(peer)?.shift();
      if (!family) return 0;
      target.set(END_OF_RIB[family], offset);
      return END_OF_RIB[family].length;
    },
    hasUpdate: (peer) => (unsent.get(peer)?.length ?? 0) > 0,
    nextRouteBatch: () => undefined,
    routesApplied: () => undefined,
    routesArrived: () => undefined,
    endDeferral: () => told.push('end deferral'),
    endOfRibReceived: (peer) => heard.get(peer) ?? [],
    endOfRibSent: () => [],
    counters: () => ({
      received: none,
      stale: none,
      filtered: none,
      sent: none,
      heldBack: none,
      updatesReceived: 0,
      updatesSent: 0,
      refused: {},
      refusedByRule: {},
    }),
    ...NO_ANSWERS,
    vrpsChanged: () => undefined,
  };
}
