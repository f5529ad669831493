import { ApiError, type ApiRequest, type ApiRoute } from '../api-server.ts';
import { type FlowService, FlowsOffError } from './flow-service.ts';

const MAX_WAIT_MS = 25_000;

/** `GET /v1/flows?after=N&waitMs=N&verdict=allow|deny`. @param service Absent while the agent starts. */
export function flowRoutes(service: () => FlowService | undefined): readonly ApiRoute[] {
  return [
    {
      method: 'GET',
      path: '/v1/flows',
      async handle({ query }: ApiRequest) {
        const flows = service();
        if (!flows) throw new ApiError(503, 'starting', 'the agent has not started yet');
        const verdict = query.get('verdict') ?? undefined;
        if (verdict !== undefined && verdict !== 'allow' && verdict !== 'deny') {
          throw new ApiError(400, 'invalid', `verdict "${verdict}": must be allow or deny`);
        }
        const after = wholeOf(query, 'after', Number.MAX_SAFE_INTEGER);
        const waitMs = wholeOf(query, 'waitMs', MAX_WAIT_MS);
        try {
          const page = await flows.read({ after, waitMs, ...(verdict ? { verdict } : {}) });
          return { status: 200, body: page };
        } catch (error) {
          if (!(error instanceof FlowsOffError)) throw error;
          throw new ApiError(409, 'off', error.message, { cause: error });
        }
      },
    },
  ];
}

/** @returns 0 if it is not given. */
function wholeOf(query: URLSearchParams, name: string, most: number): number {
  const text = query.get(name) ?? '0';
  if (/^\d{1,16}$/.test(text) && Number(text) <= most) return Number(text);
  throw new ApiError(400, 'invalid', `${name} "${text}": must be a whole number from 0 to ${most}`);
}
