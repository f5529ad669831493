import type { EstablishedSession, RouteEngine } from '../rib/route-engine.ts';
import type { VrpTables } from '../rpki/vrp-table.ts';
import { tablesOfRows, vrpRows } from './vrps-in-trace.ts';

/** Calls of the route engine: those that change it are part of a trace, questions are not. */
const ENGINE_CALLS: { readonly [M in keyof RouteEngine]: 'input' | 'question' } = {
  configure: 'input',
  setInterfaces: 'input',
  peerUp: 'input',
  peerDown: 'input',
  peerRemoved: 'input',
  flushStale: 'input',
  beginLongLived: 'input',
  receiveUpdate: 'input',
  beginRefresh: 'input',
  refresh: 'input',
  step: 'input',
  nextUpdate: 'input',
  nextRouteBatch: 'input',
  routesApplied: 'input',
  routesArrived: 'input',
  endDeferral: 'input',
  unreachableNextHops: 'question',
  hasUpdate: 'question',
  endOfRibReceived: 'question',
  endOfRibSent: 'question',
  received: 'question',
  counters: 'question',
  routes: 'question',
  search: 'question',
  dump: 'question',
  monitor: 'question',
  originateUpdate: 'input',
  vrpsChanged: 'input',
  explain: 'question',
  statistics: 'question',
  updateGroups: 'question',
  census: 'question',
};

/** A call, with what came of it, as a trace has it. */
export interface EngineCall {
  readonly call: string;
  readonly args: readonly unknown[];
  readonly result?: unknown;
}

type Method = (...args: unknown[]) => unknown;

/** @returns The method of that name if it is one that changes the engine. */
function inputOf(engine: RouteEngine, name: string): Method | undefined {
  if (!Object.hasOwn(ENGINE_CALLS, name)) return undefined;
  const known = name as keyof RouteEngine;
  return ENGINE_CALLS[known] === 'input' ? (engine[known].bind(engine) as Method) : undefined;
}

/** The engine, with every call that changes it told. */
export function observedEngine(
  engine: RouteEngine,
  observe: (call: EngineCall) => void,
): RouteEngine {
  const methods = Object.keys(ENGINE_CALLS).map((name): [string, Method] => {
    const input = inputOf(engine, name);
    if (!input) return [name, engine[name as keyof RouteEngine].bind(engine) as Method];
    return [name, (...args) => observeCall(name, input, args, observe)];
  });
  return Object.fromEntries(methods) as unknown as RouteEngine;
}

function observeCall(
  call: string,
  method: Method,
  args: readonly unknown[],
  observe: (call: EngineCall) => void,
): unknown {
  const result = method(...args);
  const [peer, target, offset] = args;
  // Not the room for the message, only how much of it there is.
  if (call === 'nextUpdate' && target instanceof Uint8Array && typeof offset === 'number') {
    const message = target.subarray(offset, offset + Number(result));
    observe({ call, args: [peer, target.length, offset], result: message });
  } else if (call === 'vrpsChanged') {
    const [tables, changed] = args;
    observe({ call, args: [vrpRows(tables as VrpTables), changed] });
  } else observe({ call, args: args.filter((arg) => arg !== undefined), result });
  return result;
}

/**
 * Makes a call of a trace again.
 *
 * @param sessionOf What the machine of a peer has last come up with.
 * @throws {RangeError} If there is no such call.
 */
export function repeatCall(
  engine: RouteEngine,
  { call, args }: EngineCall,
  sessionOf: (peer: unknown) => EstablishedSession,
): EngineCall {
  const method = inputOf(engine, call);
  if (!method) throw new RangeError(`the engine has no call ${call}`);
  if (call === 'peerUp') {
    const [session] = args;
    method(typeof session === 'object' ? session : sessionOf(session));
    return { call, args };
  }
  if (call === 'vrpsChanged') {
    const [rows, changed] = args;
    method(tablesOfRows(rows), changed);
    return { call, args };
  }
  if (call !== 'nextUpdate') return { call, args, result: method(...args) };
  const [peer, room, offset] = args;
  const target = new Uint8Array(roomOf(room));
  const octets = Number(method(peer, target, offset));
  return { call, args, result: target.subarray(Number(offset), Number(offset) + octets) };
}

/** What the shell has for messages is a few of them: anything else is no trace. */
const MOST_ROOM_OCTETS = 16 * 1024 * 1024;

function roomOf(room: unknown): number {
  if (typeof room === 'number' && Number.isInteger(room) && room >= 0 && room <= MOST_ROOM_OCTETS) {
    return room;
  }
  throw new RangeError(`${String(room)} octets are no room for messages`);
}
