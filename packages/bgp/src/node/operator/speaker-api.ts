import { familyOf, ParseError, type Prefix, parseAddress, parsePrefix } from '@overland/net';
import type { RoutePage, RouteQuery } from '../../core/rib/route-engine.ts';
import type { SpeakerSummary } from '../speaker-summary.ts';
import type { NeighborDetail } from './neighbor-detail.ts';
import type { SpeakerOperator } from './speaker-operator.ts';

const DEFAULT_PAGE = 200;
const MAX_PAGE = 1000;

/** A speaker as those see it who answer for it, maybe from another thread. `null`: it has no configuration yet. */
export interface SpeakerPort {
  summary(): Promise<SpeakerSummary | null>;
  neighbors(peer: string): Promise<readonly NeighborDetail[] | null>;
  routes(query: RouteQuery): Promise<RoutePage | null>;
}

/** Becomes the reply `{ error: { code, message } }`. */
export class SpeakerRequestError extends Error {
  override readonly name = 'SpeakerRequestError';
  readonly status: 400 | 404 | 503;
  /** For programs, stable. */
  readonly code: 'invalid' | 'not-found' | 'starting';

  constructor(code: SpeakerRequestError['code'], message: string) {
    super(message);
    this.code = code;
    this.status = STATUS[code];
  }
}

const STATUS = { invalid: 400, 'not-found': 404, starting: 503 } as const;

/** One question of the API: an agent and `overland bgp run` answer the same. */
export interface SpeakerRoute {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  /** @throws {SpeakerRequestError} */
  answer(speaker: SpeakerPort, query: URLSearchParams): Promise<unknown>;
}

/**
 *   GET /v1/bgp/summary
 *   GET /v1/bgp/neighbors?peer=spine1
 *   GET /v1/bgp/routes?family=ipv4&limit=200&after=10.65.0.0/26
 */
export const SPEAKER_ROUTES: readonly SpeakerRoute[] = [
  {
    method: 'GET',
    path: '/v1/bgp/summary',
    answer: async (speaker) => running(await speaker.summary()),
  },
  {
    method: 'GET',
    path: '/v1/bgp/neighbors',
    async answer(speaker, query) {
      const peer = peerParameter(query);
      const neighbors = running(await speaker.neighbors(peer));
      if (neighbors.length === 0) throw noPeer(peer);
      return { neighbors };
    },
  },
  {
    method: 'GET',
    path: '/v1/bgp/routes',
    answer: async (speaker, query) => running(await speaker.routes(routeQuery(query))),
  },
];

/** Answers for a speaker of this thread. @param operator `undefined` before its first configuration. */
export function speakerPort(operator: () => SpeakerOperator | undefined): SpeakerPort {
  return {
    summary: async () => operator()?.summary() ?? null,
    neighbors: async (peer) => operator()?.neighbors(peer) ?? null,
    routes: async (query) => operator()?.routes(query) ?? null,
  };
}

function running<T>(answer: T | null): T {
  if (answer !== null) return answer;
  throw new SpeakerRequestError('starting', 'the speaker has no configuration yet');
}

function noPeer(peer: string): SpeakerRequestError {
  return new SpeakerRequestError('not-found', `no peer is called ${peer} or has that address`);
}

/** A name, or an address in its canonical form. */
function peerParameter(query: URLSearchParams): string {
  const peer = query.get('peer');
  if (!peer) throw new SpeakerRequestError('invalid', 'peer must be a name or an address');
  try {
    return parseAddress(peer);
  } catch (error) {
    if (error instanceof ParseError) return peer;
    throw error;
  }
}

function routeQuery(query: URLSearchParams): RouteQuery {
  const family = query.get('family') ?? 'ipv4';
  if (family !== 'ipv4' && family !== 'ipv6') {
    throw new SpeakerRequestError('invalid', 'family must be ipv4 or ipv6');
  }
  const limit = Number(query.get('limit') ?? DEFAULT_PAGE);
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_PAGE) {
    throw new SpeakerRequestError('invalid', `limit must be a whole number from 1 to ${MAX_PAGE}`);
  }
  const text = query.get('after');
  if (text === null) return { family, limit };
  const after = prefixParameter(text);
  if (familyOf(after) !== family) {
    throw new SpeakerRequestError('invalid', `after must be ${family}`);
  }
  return { family, limit, after };
}

function prefixParameter(text: string): Prefix {
  try {
    return parsePrefix(text);
  } catch (error) {
    if (error instanceof ParseError) throw new SpeakerRequestError('invalid', error.message);
    throw error;
  }
}
