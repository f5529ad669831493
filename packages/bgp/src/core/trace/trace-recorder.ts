import type { SpeakerConfig } from '../config.ts';
import { createRouteEngine, type RouteEngineOptions } from '../rib/engine.ts';
import type { PeerId, RouteEngine } from '../rib/route-engine.ts';
import type { ConnectionId, PeerEffect, PeerEvent } from '../session/peer-events.ts';
import { PeerMachine, type PeerMachineOptions } from '../session/peer-machine.ts';
import { observedEngine } from './engine-calls.ts';
import { KnownConfigs, traceText } from './trace-json.ts';

/** Of the format; another one is refused. */
export const TRACE_VERSION = 1;

/**
 * Writes down everything that goes into a speaker's machines and its engine, and what comes of it, a line of JSON each. The
 * machines and the engine are pure, so that `TraceReplay` gets the same out of the same lines.
 */
export class TraceRecorder {
  readonly #write: (line: string) => void;
  readonly #configs = new KnownConfigs();
  /** Sessions that machines have come up with, and the peer of each. */
  readonly #sessions = new WeakMap<object, PeerId>();

  /** @param write Takes one line at a time, without its end. */
  constructor(write: (line: string) => void) {
    this.#write = write;
    this.#line({ trace: 'overland-bgp', version: TRACE_VERSION });
  }

  /** An engine that is recorded, and what it was made with. */
  engine(config: SpeakerConfig, options: RouteEngineOptions = {}): RouteEngine {
    const { shared: _, ...told } = options;
    this.#told(config);
    this.#line({ engine: config, options: told });
    return observedEngine(createRouteEngine(config, options), (call) => {
      const [first] = call.args;
      if (call.call === 'configure') this.#told(first as SpeakerConfig);
      const peer = this.#sessions.get(first as object);
      this.#line(peer === undefined ? call : { ...call, args: [peer] });
    });
  }

  /** A machine that is recorded. */
  machine(options: PeerMachineOptions): PeerMachine {
    const { id, context, restart } = options;
    this.#told(context.speaker);
    this.#line({ peer: id, context, restart });
    return new RecordedMachine(options, {
      numbered: (number) => this.#line({ peer: id, number }),
      handled: (handled) => {
        const { event } = handled;
        if (event.type === 'configure') this.#told(event.context.speaker);
        for (const effect of handled.effects) {
          if (effect.type === 'up') this.#sessions.set(effect.session, id);
        }
        this.#line({ peer: id, ...handled, effects: effectsInTrace(handled.effects) });
      },
    });
  }

  /** Defines a configuration before a line needs it. */
  #told(config: SpeakerConfig): void {
    if (this.#configs.numberOf(config) !== undefined) return;
    const number = this.#configs.add(config);
    this.#write(traceText({ config: number, value: config }, this.#configs, true));
  }

  #line(value: object): void {
    this.#write(traceText(value, this.#configs));
  }
}

/**
 * Effects as a trace has them: of a session that is up, what people look for. The rest follows from the two OPENs and the
 * configuration, which are there; a later version that knows more of a session still replays the trace.
 */
export function effectsInTrace(effects: readonly PeerEffect[]): readonly object[] {
  return effects.map((effect) => {
    if (effect.type !== 'up') return effect;
    const { families, fourOctetAs, holdSeconds, keepaliveSeconds, peerRouterId } = effect.session;
    const session = { families, fourOctetAs, holdSeconds, keepaliveSeconds, peerRouterId };
    return { ...effect, session };
  });
}

/** One event of a peer, with the random numbers that it took and what came of it. */
interface Handled {
  /** Monotonic, milliseconds. */
  readonly at: number;
  readonly event: PeerEvent;
  readonly random?: readonly number[];
  readonly effects: readonly PeerEffect[];
}

interface Observer {
  numbered(number: ConnectionId): void;
  handled(handled: Handled): void;
}

class RecordedMachine extends PeerMachine {
  readonly #observer: Observer;
  readonly #drawn: number[];
  #isHandling = false;

  constructor(options: PeerMachineOptions, observer: Observer) {
    const drawn: number[] = [];
    const random = (): number => {
      const value = options.random();
      drawn.push(value);
      return value;
    };
    super({ ...options, random });
    this.#observer = observer;
    this.#drawn = drawn;
  }

  override nextConnection(): ConnectionId {
    const number = super.nextConnection();
    // Those that the machine gives itself follow from the event.
    if (!this.#isHandling) this.#observer.numbered(number);
    return number;
  }

  override handle(event: PeerEvent, nowMs: number): readonly PeerEffect[] {
    this.#isHandling = true;
    const effects = super.handle(event, nowMs);
    this.#isHandling = false;
    const random = this.#drawn.splice(0);
    const taken = random.length > 0 ? { random } : {};
    this.#observer.handled({ at: nowMs, event, ...taken, effects });
    return effects;
  }
}
