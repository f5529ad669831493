import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import type { SpeakerSummary } from './speaker-summary.ts';

const ANSWER_TIMEOUT_MS = 5000;

/** Nobody answers on the control socket, or not with what was asked for. */
export class ControlSocketError extends Error {
  override readonly name = 'ControlSocketError';
  /** What the speaker says is wrong, stable: `invalid`, `not-found`, …; absent: it said nothing. */
  readonly code: string | undefined;

  constructor(message: string, options: ErrorOptions & { readonly code?: string } = {}) {
    super(message, options);
    this.code = options.code;
  }
}

export interface SpeakerRequest {
  readonly method?: 'GET' | 'POST';
  /** Such as `/v1/bgp/routes?family=ipv6`. */
  readonly url: string;
  /** Of the speaker, which may wait itself; milliseconds. */
  readonly timeoutMs?: number;
}

/**
 * Asks a speaker: that of `overland bgp run`, or that of an agent.
 *
 * @param path Of its socket.
 * @returns The parsed answer, taken at its word: the speaker of this machine is of our version, or one off.
 * @throws {ControlSocketError} Saying why there is no answer.
 */
export async function askSpeaker(
  path: string,
  { method = 'GET', url, timeoutMs = ANSWER_TIMEOUT_MS }: SpeakerRequest,
  signal?: AbortSignal,
): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const failed = (error: NodeJS.ErrnoException): void => reject(explain(path, error));
  const options = { socketPath: path, path: url, method, agent: false, timeout: timeoutMs };
  const outgoing = request({ ...options, ...(signal && { signal }) }, (response) => {
    text(response).then((body) => {
      if (response.statusCode === 200) resolve(JSON.parse(body));
      else reject(refusal(path, response.statusCode, body));
    }, failed);
  });
  outgoing.on('error', failed);
  outgoing.on('timeout', () => outgoing.destroy(new Error('no answer in time')));
  outgoing.end();
  return await promise;
}

/** @throws {ControlSocketError} As {@link askSpeaker}. */
export async function askForSummary(path: string): Promise<SpeakerSummary> {
  return (await askSpeaker(path, { url: '/v1/bgp/summary' })) as SpeakerSummary;
}

function refusal(path: string, status: number | undefined, body: string): ControlSocketError {
  try {
    const { error } = JSON.parse(body) as { readonly error: { code: string; message: string } };
    return new ControlSocketError(error.message, { code: error.code });
  } catch (cause) {
    return new ControlSocketError(`${path} answers ${status}: ${body}`, { cause });
  }
}

function explain(path: string, error: NodeJS.ErrnoException): ControlSocketError {
  const reason =
    error.code === 'ENOENT' || error.code === 'ECONNREFUSED'
      ? `no speaker answers on ${path}; is one running on this host?`
      : `the speaker on ${path} does not answer: ${error.code ?? error.message}`;
  return new ControlSocketError(reason, { cause: error });
}
