import { expect, test } from 'vitest';
import { probeRoutes } from './probe-routes.ts';

const REQUEST = { parameters: {}, query: new URLSearchParams(), body: undefined };

test('a live agent that is not ready passes /liveness and fails /readiness', async () => {
  const routes = probeRoutes({
    health: () => ({ live: true, ready: false, parts: [] }),
    metrics: async () => [{ name: 'x', help: 'X.', type: 'gauge', samples: [{ value: 1 }] }],
  });
  const answer = (path: string) => routes.find((route) => route.path === path)?.handle(REQUEST);
  expect(await answer('/liveness')).toMatchObject({ status: 200, body: { live: true } });
  expect(await answer('/readiness')).toMatchObject({ status: 503, body: { ready: false } });
  expect(await answer('/metrics')).toMatchObject({
    status: 200,
    body: '# HELP x X.\n# TYPE x gauge\nx 1\n',
  });
});
