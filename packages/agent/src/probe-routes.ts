import { METRICS_CONTENT_TYPE, type Metric, metricsText } from '@overland/bgp/metrics';
import type { ApiRoute } from './api-server.ts';
import type { HealthSummary } from './health.ts';

export interface ProbeSources {
  readonly health: () => HealthSummary;
  readonly metrics: () => Promise<readonly Metric[]>;
}

/**
 * What monitoring asks: `/liveness` and `/readiness` answer 200 or 503 with one entry per part, `/metrics` in
 * Prometheus' text format.
 */
export function probeRoutes({ health, metrics }: ProbeSources): readonly ApiRoute[] {
  const probe = (path: string, holds: (summary: HealthSummary) => boolean): ApiRoute => ({
    method: 'GET',
    path,
    handle: () => {
      const summary = health();
      return { status: holds(summary) ? 200 : 503, body: summary };
    },
  });
  return [
    probe('/liveness', ({ live }) => live),
    probe('/readiness', ({ ready }) => ready),
    {
      method: 'GET',
      path: '/metrics',
      handle: async () => ({
        status: 200,
        contentType: METRICS_CONTENT_TYPE,
        body: metricsText(await metrics()),
      }),
    },
  ];
}
