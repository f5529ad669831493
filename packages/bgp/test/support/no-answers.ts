import type { RouteEngine } from '../../src/core/index.ts';
import type { FamilyStatistics } from '../../src/core/rib/engine-statistics.ts';

const NO_ROUTES: FamilyStatistics = {
  prefixes: 0,
  paths: 0,
  nextHops: 0,
  decisions: 0,
  bestChanges: 0,
  undecided: 0,
  pendingKernelRoutes: 0,
};

/** What operators ask of a route engine, answered by one that has no routes. */
export const NO_ANSWERS: Pick<
  RouteEngine,
  | 'routes'
  | 'search'
  | 'explain'
  | 'census'
  | 'dump'
  | 'statistics'
  | 'updateGroups'
  | 'monitor'
  | 'originateUpdate'
> = {
  routes: () => ({ routes: [], next: undefined }),
  search: () => ({ step: () => false, result: () => ({ routes: [], next: undefined }) }),
  statistics: () => ({
    families: { ipv4: NO_ROUTES, ipv6: NO_ROUTES },
    attributeSets: 0,
    attributeOctets: 0,
  }),
  updateGroups: () => [],
  originateUpdate: () => true,
  monitor: (rib) => ({
    rib,
    hasWork: false,
    peer: undefined,
    peerUp: () => undefined,
    peerDown: () => undefined,
    step: () => undefined,
    next: () => 0,
    close: () => undefined,
  }),
  dump: () => ({ next: () => undefined }),
  explain: ({ prefix: { prefix } }) => ({
    prefix,
    paths: [],
    decision: { isSettled: true, steps: [], equal: [] },
    export: null,
    absence: null,
  }),
  census: (_peer, family) => ({
    step: () => false,
    result: () => ({ family, received: [], sent: null }),
  }),
};
