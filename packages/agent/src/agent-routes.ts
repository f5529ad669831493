import { familyOf, ParseError, type Prefix, parsePrefix } from '@overland/net';
import { ApiError, type ApiRequest, type ApiResponse, type ApiRoute } from './api-server.ts';
import type { NodeStatus } from './node-status.ts';
import type { AgentThreads } from './run-agent.ts';

const DEFAULT_PAGE = 200;
const MAX_PAGE = 1000;

/** What the agent answers about itself and does for the host's runtimes. Routes of workloads are in `workload-routes.ts`. */
export function agentRoutes(threads: AgentThreads): readonly ApiRoute[] {
  const get = (path: string, answer: (request: ApiRequest) => Promise<unknown>): ApiRoute => ({
    method: 'GET',
    path,
    handle: async (request): Promise<ApiResponse> => ({ status: 200, body: await answer(request) }),
  });
  return [
    get('/startup', async () => {
      const { ready, detail } = await started(threads, 'store').health();
      if (!ready) throw new ApiError(503, 'starting', detail);
      return { detail };
    }),
    get('/v1/bgp/summary', async () => {
      const summary = await started(threads, 'speaker').summary();
      if (!summary) throw new ApiError(503, 'starting', 'the speaker has no configuration yet');
      return summary;
    }),
    get('/v1/bgp/routes', async ({ query }) => {
      return await started(threads, 'speaker').routes(routeQuery(query));
    }),
    get('/v1/ipam/blocks', async () => await started(threads, 'store').blocks()),
    get('/v1/node/status', () => nodeStatus(threads)),
  ];
}

/** The thread, or a 503 while it has not started. */
export function started<K extends keyof AgentThreads>(
  threads: AgentThreads,
  name: K,
): NonNullable<AgentThreads[K]> {
  const remote = threads[name];
  if (!remote) throw new ApiError(503, 'starting', `the ${name} has not started yet`);
  return remote as NonNullable<AgentThreads[K]>;
}

/** Everything that `overland node status` shows. */
async function nodeStatus(threads: AgentThreads): Promise<NodeStatus> {
  const [store, blocks, bgp, dataplane] = await Promise.all([
    started(threads, 'store').status(),
    started(threads, 'store').blocks(),
    started(threads, 'speaker').summary(),
    started(threads, 'dataplane').status(),
  ]);
  return { ...store, blocks, bgp, dataplane };
}

function routeQuery(query: URLSearchParams) {
  const family = query.get('family') ?? 'ipv4';
  if (family !== 'ipv4' && family !== 'ipv6') {
    throw new ApiError(400, 'invalid', 'family must be ipv4 or ipv6');
  }
  const limit = Number(query.get('limit') ?? DEFAULT_PAGE);
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_PAGE) {
    throw new ApiError(400, 'invalid', `limit must be a whole number from 1 to ${MAX_PAGE}`);
  }
  const text = query.get('after');
  if (text === null) return { family, limit } as const;
  const after = prefixParameter(text);
  if (familyOf(after) !== family) throw new ApiError(400, 'invalid', `after must be ${family}`);
  return { family, limit, after } as const;
}

function prefixParameter(text: string): Prefix {
  try {
    return parsePrefix(text);
  } catch (error) {
    if (error instanceof ParseError) throw new ApiError(400, 'invalid', error.message);
    throw error;
  }
}
