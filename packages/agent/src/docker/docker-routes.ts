import { started } from '../agent-routes.ts';
import { ApiError, type ApiRoute } from '../api-server.ts';
import type { AgentThreads } from '../run-agent.ts';

/** What Docker calls: one path for each thing, always by POST. An error is an answer as well. */
export function dockerRoutes(threads: AgentThreads): readonly ApiRoute[] {
  return [
    {
      method: 'POST',
      path: '/:call',
      async handle({ parameters: { call = '' }, body }) {
        const answer = await started(threads, 'store').docker(call, body);
        if (answer) return { status: 200, body: answer };
        // Docker goes on without calls that it finds to be unknown.
        throw new ApiError(404, 'not-found', `there is no ${call}`);
      },
    },
  ];
}
