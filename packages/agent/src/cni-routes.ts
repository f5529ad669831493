import { parseCall } from '@overland/cni/call';
import { started } from './agent-routes.ts';
import { ApiError, type ApiRoute } from './api-server.ts';
import type { AgentThreads } from './run-agent.ts';
import { explained } from './workload-routes.ts';

/** For the CNI executable: it prints the body, and ends with 0 for status 200, with 1 for 422. Anything else is as no agent. */
export function cniRoutes(threads: AgentThreads): readonly ApiRoute[] {
  return [
    {
      method: 'POST',
      path: '/v1/cni',
      async handle({ body }) {
        const call = parseCall(body);
        if (!call) throw new ApiError(400, 'invalid', 'the body is no call of the CNI executable');
        const { exitCode, stdout } = await explained(started(threads, 'store').cni(call));
        return { status: exitCode === 0 ? 200 : 422, body: stdout };
      },
    },
  ];
}
