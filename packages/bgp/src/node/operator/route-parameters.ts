import {
  type Family,
  familyOf,
  hostPrefix,
  isAddress,
  ParseError,
  type Prefix,
  parseAddress,
  parsePrefix,
} from '@overland/net';
import type { PrefixSelection } from '../../core/rib/route-engine.ts';
import { DRAIN_PHASES, type DrainPhase } from '../drain.ts';
import type { EventQuery } from '../event-log.ts';
import type { ClearKind } from './clear-peer.ts';
import type {
  DumpRequest,
  NamedExplainQuery,
  NamedRouteQuery,
  RpkiRequest,
} from './speaker-operator.ts';
import { SpeakerRequestError } from './speaker-request-error.ts';

const DEFAULT_PAGE = 200;
const MAX_PAGE = 1000;
/** How long a request may wait for an event, milliseconds. */
const MAX_WAIT_MS = 60_000;

/** What a request for routes asks. @throws {SpeakerRequestError} */
export function routeQuery(query: URLSearchParams): NamedRouteQuery {
  const prefix = prefixMatch(query);
  const family = familyParameter(query, prefix);
  const limit = limitParameter(query);
  const paths = oneOf(query, 'paths', ['all', 'accepted', 'refused']);
  const after = prefixParameter(query, 'after');
  if (after !== undefined && familyOf(after) !== family) throw invalid(`after must be ${family}`);
  const from = peerParameter(query, 'from');
  const advertisedTo = peerParameter(query, 'advertisedTo');
  return {
    family,
    limit,
    ...(prefix && { prefix }),
    ...(after !== undefined && { after }),
    ...(paths !== undefined && { paths }),
    ...(from !== undefined && { from }),
    ...(advertisedTo !== undefined && { advertisedTo }),
  };
}

/** What a request for an explanation asks. @throws {SpeakerRequestError} */
export function explainQuery(query: URLSearchParams): NamedExplainQuery {
  const prefix = prefixMatch(query);
  if (!prefix) throw invalid('prefix is missing');
  const to = peerParameter(query, 'to');
  return { prefix, ...(to !== undefined && { to }) };
}

/** Which events a request asks for. @throws {SpeakerRequestError} */
export function eventQuery(query: URLSearchParams): EventQuery {
  const peer = peerParameter(query, 'peer');
  return {
    after: wholeNumber(query, 'after', Number.MAX_SAFE_INTEGER),
    waitMs: wholeNumber(query, 'waitMs', MAX_WAIT_MS),
    ...(peer !== undefined && { peer }),
  };
}

/** Which piece of a capture a request asks for. @throws {SpeakerRequestError} */
export function captureRequest(query: URLSearchParams): { next: string; waitMs: number } {
  const next = query.get('next');
  if (next === null) throw invalid('next is missing');
  return { next, waitMs: wholeNumber(query, 'waitMs', MAX_WAIT_MS) };
}

/** @returns 0 if it is not given. */
function wholeNumber(query: URLSearchParams, field: string, most: number): number {
  const value = Number(query.get(field) ?? 0);
  if (Number.isSafeInteger(value) && value >= 0 && value <= most) return value;
  throw invalid(`${field} must be a whole number from 0 to ${most}`);
}

function limitParameter(query: URLSearchParams): number {
  const limit = Number(query.get('limit') ?? DEFAULT_PAGE);
  if (Number.isInteger(limit) && limit >= 1 && limit <= MAX_PAGE) return limit;
  throw invalid(`limit must be a whole number from 1 to ${MAX_PAGE}`);
}

/** A name, or an address in its canonical form. */
function peerParameter(query: URLSearchParams, field: string): string | undefined {
  const peer = query.get(field);
  if (peer === null) return undefined;
  if (peer === '') throw invalid(`${field} must be a name or an address`);
  return isAddress(peer) ? parseAddress(peer) : peer;
}

/** The peer that a request is about. @throws {SpeakerRequestError} */
export function neededPeer(query: URLSearchParams): string {
  const peer = peerParameter(query, 'peer');
  if (peer === undefined) throw invalid('peer is missing');
  return peer;
}

/** @throws {SpeakerRequestError} */
export function clearKind(query: URLSearchParams): ClearKind {
  const kind = oneOf(query, 'kind', ['hard', 'in', 'out', 'soft']);
  if (kind === undefined) throw invalid('kind is missing');
  return kind;
}

/** @throws {SpeakerRequestError} */
export function drainPhase(query: URLSearchParams): DrainPhase {
  const phase = oneOf(query, 'phase', DRAIN_PHASES);
  if (phase === undefined) throw invalid('phase is missing');
  return phase;
}

/** @throws {SpeakerRequestError} */
export function rpkiRequest(ask: RpkiRequest['ask'], query: URLSearchParams): RpkiRequest {
  if (ask === 'status') return { ask };
  const prefix = prefixParameter(query, 'prefix');
  if (ask === 'check') {
    const asn = Number(query.get('asn') ?? Number.NaN);
    if (prefix === undefined) throw invalid('prefix is missing');
    if (!Number.isInteger(asn) || asn < 0 || asn > 0xffff_ffff) {
      throw invalid('asn must be a whole number from 0 to 4294967295');
    }
    return { ask, prefix, asn };
  }
  const after = query.get('after');
  const place = after === null ? {} : { after };
  if (after !== null && !/^ipv[46] [1-9]\d{0,8}$/.test(after)) {
    throw invalid('after must be what the last page says');
  }
  return { ask, limit: limitParameter(query), ...place, ...(prefix !== undefined && { prefix }) };
}

/** @throws {SpeakerRequestError} */
export function dumpRequest(query: URLSearchParams): DumpRequest {
  const next = query.get('next');
  if (next !== null) return { next };
  return { view: oneOf(query, 'view', ['accepted', 'received']) ?? 'accepted' };
}

function familyParameter(query: URLSearchParams, match: PrefixSelection | undefined): Family {
  const implied = match ? familyOf(match.prefix) : 'ipv4';
  const family = oneOf(query, 'family', ['ipv4', 'ipv6']) ?? implied;
  if (match && family !== implied) throw invalid(`prefix must be ${family}`);
  return family;
}

/** An address means the longest prefix that covers it. */
function prefixMatch(query: URLSearchParams): PrefixSelection | undefined {
  const text = query.get('prefix');
  const match = oneOf(query, 'match', ['exact', 'longer', 'longest']);
  if (text === null) {
    if (match !== undefined) throw invalid('match needs a prefix');
    return undefined;
  }
  if (isAddress(text)) {
    return { prefix: hostPrefix(parseAddress(text)), match: match ?? 'longest' };
  }
  const prefix = prefixParameter(query, 'prefix');
  return prefix && { prefix, match: match ?? 'exact' };
}

function prefixParameter(query: URLSearchParams, field: string): Prefix | undefined {
  const text = query.get(field);
  if (text === null) return undefined;
  try {
    return parsePrefix(text);
  } catch (error) {
    if (error instanceof ParseError) throw invalid(error.message);
    throw error;
  }
}

function oneOf<const T extends string>(
  query: URLSearchParams,
  field: string,
  choices: readonly T[],
): T | undefined {
  const text = query.get(field);
  if (text === null) return undefined;
  const found = choices.find((choice) => choice === text);
  if (found !== undefined) return found;
  throw invalid(`${field} must be ${choices.slice(0, -1).join(', ')} or ${choices.at(-1)}`);
}

function invalid(message: string): SpeakerRequestError {
  return new SpeakerRequestError('invalid', message);
}
