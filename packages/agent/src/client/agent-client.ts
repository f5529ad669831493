import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import type { Takeover } from '@overland/felix/dataplane';
import type { AttachRequest, DetachedWorkload, ListedWorkload } from '@overland/workloads';
import type { FlowRecord } from '../flows/flow-record.ts';
import type { FlowPage } from '../flows/flow-service.ts';
import type { NodeStatus, ProgrammedPolicy } from '../node-status.ts';
import type { AttachReply } from '../store-methods.ts';

/** Where the agent listens unless its setting `apiSocket` says otherwise. */
export const DEFAULT_AGENT_SOCKET = '/run/overland/agent.sock';

/** The agent did not answer: it does not run, or not here. */
export class AgentUnreachableError extends Error {
  override readonly name = 'AgentUnreachableError';
}

/** The agent answered no. */
export class AgentRefusedError extends Error {
  override readonly name = 'AgentRefusedError';
  readonly status: number;
  /** For programs, stable: `invalid`, `not-found`, `unavailable`, … */
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

type Method = 'GET' | 'POST' | 'DELETE';

/** Which flows are asked for. */
interface FlowQuery {
  /** Behind the record with this number; 0: all that are remembered. */
  readonly after: number;
  /** Longest wait for a record if there is none, milliseconds. */
  readonly waitMs: number;
  readonly verdict?: FlowRecord['verdict'] | undefined;
}

/** One agent, by its socket. Every call is a connection of its own; nothing is kept open. */
export interface AgentClient {
  /**
   * @returns The parsed reply.
   * @throws {AgentUnreachableError} If nobody answers.
   * @throws {AgentRefusedError} If the agent answers with an error.
   */
  call(method: Method, path: string, body?: unknown): Promise<unknown>;
  /** What Calico has left in the host's packet filters, and whether it goes. As {@link AgentClient.call} throws. */
  takeOver(remove: boolean): Promise<Takeover>;
  /** What the packet filter is told of a workload: by name, interface or address. As {@link AgentClient.call} throws. */
  programmedPolicy(name: string): Promise<ProgrammedPolicy>;
  /**
   * The flows of the host's workloads behind a point. As {@link AgentClient.call} throws; the signal's reason if it aborts.
   */
  flows(query: FlowQuery, signal?: AbortSignal): Promise<FlowPage>;
  /**
   * Waits until the agent can attach workloads, or `signal` aborts.
   *
   * @throws {AgentUnreachableError} If it cannot when the time is over; says what is missing.
   */
  waitUntilReady(timeoutMs: number, signal?: AbortSignal): Promise<void>;
  /** As {@link AgentClient.call} throws. Asked again for what is attached, answers the same again. */
  attach(request: AttachBody): Promise<AttachReply>;
  /** What is not attached is no mistake. */
  detach(containerId: string, interfaceName: string): Promise<DetachedWorkload>;
  workloads(): Promise<readonly ListedWorkload[]>;
  nodeStatus(): Promise<NodeStatus>;
}

/** What an attach must say; the rest has defaults. */
type AttachBody = Pick<AttachRequest, 'containerId' | 'interface' | 'namespacePath' | 'name'> &
  Partial<AttachRequest>;

const CALL_TIMEOUT_MS = 60_000;
const POLL_MS = 100;

/** @param socketPath Of the agent's API. */
export function agentClient(socketPath: string): AgentClient {
  // The agent of this machine is of our version, or one off: its replies are taken at their word.
  const get = async <T>(method: Method, path: string, body?: unknown): Promise<T> =>
    (await call(method, path, body)) as T;
  const call: AgentClient['call'] = async (method, path, body) =>
    answerOf(await exchange(socketPath, { method, path, body }));
  return {
    call,
    async waitUntilReady(timeoutMs, signal) {
      const deadline = performance.now() + timeoutMs;
      for (;;) {
        const missing = await notReady(socketPath);
        if (missing === undefined || signal?.aborted) return;
        if (performance.now() > deadline) {
          throw new AgentUnreachableError(
            `the agent is not ready after ${Math.round(timeoutMs / 1000)} s: ${missing}`,
          );
        }
        await delay(POLL_MS);
      }
    },
    attach: (request) => get('POST', '/v1/workloads', request),
    detach: (containerId, name) =>
      get('DELETE', `/v1/workloads/${encodeURIComponent(containerId)}/${encodeURIComponent(name)}`),
    workloads: () => get('GET', '/v1/workloads'),
    nodeStatus: () => get('GET', '/v1/node/status'),
    takeOver: (remove) => get('POST', '/v1/policy/takeover', { remove }),
    programmedPolicy: (name) => get('GET', `/v1/policy/endpoint?${new URLSearchParams({ name })}`),
    async flows({ after, waitMs, verdict }, signal) {
      const query = new URLSearchParams({ after: `${after}`, waitMs: `${waitMs}` });
      if (verdict !== undefined) query.set('verdict', verdict);
      const path = `/v1/flows?${query}`;
      return answerOf(await exchange(socketPath, { method: 'GET', path, signal })) as FlowPage;
    },
  };
}

function answerOf({ status, content }: Exchange): unknown {
  if (status < 300) return content;
  const { code = 'internal', message = `HTTP status ${status}` } = faultOf(content);
  throw new AgentRefusedError(status, code, message);
}

/** What keeps the agent from being ready, or `undefined` if it is. */
async function notReady(socketPath: string): Promise<string | undefined> {
  try {
    const { status, content } = await exchange(socketPath, { method: 'GET', path: '/startup' });
    if (status === 200) return undefined;
    return faultOf(content).message ?? 'it is starting';
  } catch (error) {
    if (error instanceof AgentUnreachableError) return error.message;
    throw error;
  }
}

function faultOf(content: unknown): { readonly code?: string; readonly message?: string } {
  const { error } = (content ?? {}) as { readonly error?: { code?: string; message?: string } };
  return error ?? {};
}

interface Exchange {
  readonly status: number;
  readonly content: unknown;
}

interface Question {
  readonly method: Method;
  readonly path: string;
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
}

async function exchange(
  socketPath: string,
  { method, path, body, signal }: Question,
): Promise<Exchange> {
  const { promise, resolve, reject } = Promise.withResolvers<Exchange>();
  const unreachable = (error: Error): void =>
    signal?.aborted
      ? reject(signal.reason)
      : reject(new AgentUnreachableError(explain(socketPath, error), { cause: error }));
  const common = { socketPath, method, path, agent: false, timeout: CALL_TIMEOUT_MS } as const;
  const options = signal ? { ...common, signal } : common;
  const outgoing = request(options, (response) => {
    text(response).then(
      (reply) => resolve({ status: response.statusCode ?? 0, content: parseReply(reply) }),
      unreachable,
    );
  });
  outgoing.on('error', unreachable);
  outgoing.on('timeout', () => outgoing.destroy(new Error('no answer in time')));
  outgoing.end(body === undefined ? undefined : JSON.stringify(body));
  return await promise;
}

function parseReply(reply: string): unknown {
  try {
    return JSON.parse(reply);
  } catch {
    return reply;
  }
}

function explain(socketPath: string, error: NodeJS.ErrnoException): string {
  if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED') {
    return `no agent listens on ${socketPath}; is it running on this host?`;
  }
  if (error.code === 'EACCES') return `${socketPath} may be used by root only`;
  return `the agent on ${socketPath} does not answer: ${error.message}`;
}
