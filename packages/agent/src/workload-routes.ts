import { started } from './agent-routes.ts';
import { ApiError, type ApiRoute } from './api-server.ts';
import type { AgentThreads } from './run-agent.ts';

/** What the errors of an attach or detach mean to the caller. By name: their classes live in another thread. */
const MEANING: Readonly<Record<string, readonly [status: number, code: string]>> = {
  InvalidRequestError: [400, 'invalid'],
  ValidationError: [400, 'invalid'],
  ParseError: [400, 'invalid'],
  AlreadyAttachedError: [409, 'conflict'],
  AddressUnavailableError: [409, 'conflict'],
  NoAddressError: [503, 'no-address'],
  ContentionError: [503, 'unavailable'],
  UnavailableError: [503, 'unavailable'],
  LockedError: [503, 'locked'],
  JournalError: [503, 'unavailable'],
  AttachAbortedError: [504, 'timeout'],
};

/** Attaching and detaching, for the runtimes' shims. Bodies and replies: `@overland/workloads`, `api.ts`. */
export function workloadRoutes(threads: AgentThreads): readonly ApiRoute[] {
  return [
    {
      method: 'GET',
      path: '/v1/workloads',
      handle: async () => ({
        status: 200,
        body: await explained(started(threads, 'store').listWorkloads()),
      }),
    },
    {
      method: 'POST',
      path: '/v1/workloads',
      handle: async ({ body }) => ({
        status: 200,
        body: await explained(started(threads, 'store').attach(body)),
      }),
    },
    {
      method: 'DELETE',
      path: '/v1/workloads/:containerId/:interface',
      handle: async ({ parameters: { containerId = '', interface: name = '' } }) => ({
        status: 200,
        body: await explained(started(threads, 'store').detach(containerId, name)),
      }),
    },
  ];
}

/** Turns what the store refuses into a reply that says why. */
export async function explained<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const meaning = error instanceof Error ? MEANING[error.name] : undefined;
    if (!meaning || !(error instanceof Error)) throw error;
    throw new ApiError(...meaning, error.message, { cause: error });
  }
}
