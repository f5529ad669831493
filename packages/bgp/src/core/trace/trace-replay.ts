import type { SpeakerConfig } from '../config.ts';
import { createRouteEngine, type RouteEngineOptions } from '../rib/engine.ts';
import type { RouteEngine } from '../rib/route-engine.ts';
import type { Restart } from '../session/negotiation.ts';
import type { PeerContext, PeerEvent, UpSession } from '../session/peer-events.ts';
import { PeerMachine } from '../session/peer-machine.ts';
import { type EngineCall, repeatCall } from './engine-calls.ts';
import { KnownConfigs, parseTraceText, traceText } from './trace-json.ts';
import { effectsInTrace, TRACE_VERSION } from './trace-recorder.ts';

/** A line of a trace cannot be replayed: it is no line of a trace, or not of this version. */
export class TraceError extends Error {
  override readonly name = 'TraceError';
}

interface ReplayedPeer {
  readonly machine: PeerMachine;
  /** Random numbers that the event in hand took when it was recorded. */
  readonly random: number[];
  /** The last one that came up. */
  session: UpSession | undefined;
}

/** What a line may be; which one, its fields say. */
interface TraceLine {
  readonly trace?: unknown;
  readonly version?: unknown;
  readonly config?: number;
  readonly value?: SpeakerConfig;
  readonly engine?: SpeakerConfig;
  readonly options?: Omit<RouteEngineOptions, 'shared'>;
  readonly call?: string;
  readonly args?: readonly unknown[];
  readonly peer?: number;
  readonly context?: PeerContext;
  readonly restart?: Restart;
  readonly number?: number;
  readonly at?: number;
  readonly event?: PeerEvent;
  readonly random?: readonly number[];
}

/** Does again what a trace says, one line after the other. */
export class TraceReplay {
  readonly #configs = new KnownConfigs();
  readonly #peers = new Map<number, ReplayedPeer>();
  #engine: RouteEngine | undefined;
  #hasBegun = false;

  /**
   * @param line Without its end.
   * @returns The line as it is recorded now: another one if something else has come of it.
   * @throws {TraceError} If it is no line of a trace.
   */
  replay(line: string): string {
    try {
      const parsed = parseTraceText(line, this.#configs);
      if (typeof parsed !== 'object' || parsed === null) throw new TraceError('no object');
      return this.#replayLine(parsed);
    } catch (error) {
      if (error instanceof TraceError) throw error;
      // Whatever a line that was not recorded leads to: it is the line that is at fault.
      throw new TraceError(error instanceof Error ? error.message : String(error), {
        cause: error,
      });
    }
  }

  #replayLine(line: TraceLine): string {
    if (!this.#hasBegun) {
      const { trace, version } = line;
      if (trace !== 'overland-bgp') throw new TraceError('the first line is not that of a trace');
      if (version !== TRACE_VERSION) {
        throw new TraceError(`version ${String(version)} instead of ${TRACE_VERSION}`);
      }
      this.#hasBegun = true;
      return this.#text(line);
    }
    if (line.config !== undefined && line.value) {
      this.#configs.learn(line.config, line.value);
      return traceText(line, this.#configs, true);
    }
    if (line.engine) {
      this.#engine = createRouteEngine(line.engine, line.options);
      return this.#text(line);
    }
    if (line.call !== undefined && line.args) {
      if (!this.#engine) throw new TraceError('no engine was made');
      const sessionOf = (peer: unknown): UpSession => this.#sessionOf(peer);
      return this.#text(repeatCall(this.#engine, line as EngineCall, sessionOf));
    }
    if (line.peer !== undefined) return this.#text(this.#replayPeer(line.peer, line));
    throw new TraceError('neither a call nor an event');
  }

  #replayPeer(id: number, line: TraceLine): object {
    if (line.context && line.restart) {
      const random: number[] = [];
      const options = { id, context: line.context, restart: line.restart };
      const machine = new PeerMachine({ ...options, random: () => drawn(random) });
      this.#peers.set(id, { machine, random, session: undefined });
      return line;
    }
    const peer = this.#peers.get(id);
    if (!peer) throw new TraceError(`there is no peer ${id}`);
    if (line.number !== undefined) return { peer: id, number: peer.machine.nextConnection() };
    const { at, event, random } = line;
    if (!event || typeof at !== 'number') throw new TraceError('no event');
    peer.random.splice(0, peer.random.length, ...(random ?? []));
    const effects = peer.machine.handle(event, at);
    for (const effect of effects) if (effect.type === 'up') peer.session = effect.session;
    return { peer: id, at, event, ...(random && { random }), effects: effectsInTrace(effects) };
  }

  #sessionOf(peer: unknown): UpSession {
    const session = typeof peer === 'number' ? this.#peers.get(peer)?.session : undefined;
    if (!session) throw new TraceError(`peer ${String(peer)} has had no session`);
    return session;
  }

  #text(value: object): string {
    return traceText(value, this.#configs);
  }
}

function drawn(random: number[]): number {
  const value = random.shift();
  if (value === undefined) throw new TraceError('it takes more random numbers than were recorded');
  return value;
}
