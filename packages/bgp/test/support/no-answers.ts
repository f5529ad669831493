import type { RouteEngine } from '../../src/core/index.ts';

/** What operators ask of a route engine, answered by one that has no routes. */
export const NO_ANSWERS: Pick<RouteEngine, 'routes' | 'search' | 'explain' | 'census' | 'dump'> = {
  routes: () => ({ routes: [], next: undefined }),
  search: () => ({ step: () => false, result: () => ({ routes: [], next: undefined }) }),
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
