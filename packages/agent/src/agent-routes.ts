import { SPEAKER_ROUTES, SpeakerRequestError } from '@overland/bgp/speaker-api';
import { ApiError, type ApiRequest, type ApiResponse, type ApiRoute } from './api-server.ts';
import type { NodeStatus, ProgrammedPolicy } from './node-status.ts';
import type { AgentThreads } from './run-agent.ts';

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
    ...speakerRoutes(threads),
    get('/v1/ipam/blocks', async () => await started(threads, 'store').blocks()),
    get('/v1/node/status', () => nodeStatus(threads)),
    { method: 'POST', path: '/v1/policy/takeover', handle: ({ body }) => takeOver(threads, body) },
    get('/v1/policy/endpoint', ({ query }) => programmedPolicy(threads, query.get('name') ?? '')),
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

/** A workload's policy as it is in the packet filter, and what of it the kernel refuses. */
async function programmedPolicy(threads: AgentThreads, name: string): Promise<ProgrammedPolicy> {
  const [endpoint, { policy, failures }] = await Promise.all([
    started(threads, 'store').programmedEndpoint(name),
    started(threads, 'dataplane').status(),
  ]);
  if (!endpoint) throw new ApiError(404, 'not-found', `no workload of this host is ${name}`);
  const { packetFilter = null, synced = false } = policy ?? {};
  return { endpoint, packetFilter, synced, failures };
}

/** What Calico has left in the packet filters; with `{ "remove": true }` it goes, once our policy is in their place. */
async function takeOver(threads: AgentThreads, body: unknown): Promise<ApiResponse> {
  const { remove } = (body ?? {}) as { readonly remove?: unknown };
  if (typeof remove !== 'boolean') {
    throw new ApiError(
      400,
      'invalid',
      'the body must be { "remove": true } or { "remove": false }',
    );
  }
  const dataplane = started(threads, 'dataplane');
  const { policy, failures } = await dataplane.status();
  const [failure] = failures;
  if (remove && (!policy?.synced || failure)) {
    const why = failure ? `the kernel refuses ${failure.what}` : 'it is not in sync yet';
    throw new ApiError(
      409,
      'not-ready',
      `Calico's rules stay until all policy is in place: ${why}`,
    );
  }
  return { status: 200, body: await dataplane.takeOver(remove) };
}

/** What operators ask of the speaker: the same questions as `overland bgp run` answers. */
function speakerRoutes(threads: AgentThreads): ApiRoute[] {
  return SPEAKER_ROUTES.map(({ method, path, answer }) => ({
    method,
    path,
    async handle({ query }): Promise<ApiResponse> {
      try {
        return { status: 200, body: await answer(started(threads, 'speaker'), query) };
      } catch (error) {
        if (!(error instanceof SpeakerRequestError)) throw error;
        throw new ApiError(error.status, error.code, error.message, { cause: error });
      }
    },
  }));
}
